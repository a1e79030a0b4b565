"""Stores that ship in the core. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from attrs import field, frozen, validators

from vall_e.interfaces.trial import Trial
from vall_e.registry import Component

if TYPE_CHECKING:
    from vall_e.interfaces.store import Store


@frozen
class FolderConfig:
    """No options."""


@frozen
class Hdf5Config:
    """No options."""


@frozen
class WebDatasetConfig:
    shard_megabytes: float = field(default=256.0, validator=validators.gt(0))
    """A new shard is begun once one is so large."""


@frozen
class EckerStoreConfig:
    split: str = field(
        default="training", validator=validators.in_(("training", "validation", "noise"))
    )
    """The part of a `data.h5` that is read."""
    bad_files: Literal["error", "skip"] = "error"
    """A file that is damaged, malicious or of another codec: refuse all, or leave it out and say
    so."""


def build_folder(config: FolderConfig) -> Store:
    from vall_e.data.stores.folder import FolderStore

    return FolderStore()


def build_hdf5(config: Hdf5Config) -> Store:
    from vall_e.data.stores.hdf5 import Hdf5Store

    return Hdf5Store()


def build_webdataset(config: WebDatasetConfig) -> Store:
    from vall_e.data.stores.shards import WebDatasetStore

    return WebDatasetStore(shard_bytes=int(config.shard_megabytes * 1e6))


def build_original(config: EckerStoreConfig) -> Store:
    from vall_e.data.stores.ecker import OriginalStore

    return OriginalStore(split=config.split, bad_files=config.bad_files)


STORES = (
    Component(
        name="folder",
        config=FolderConfig,
        build=build_folder,
        summary="What `vall-e data process` makes: a manifest and one file of codes",
    ),
    Component(
        name="hdf5",
        config=Hdf5Config,
        build=build_hdf5,
        summary="One HDF5 file, compressed without loss (needs h5py)",
    ),
    Component(
        name="webdataset",
        config=WebDatasetConfig,
        build=build_webdataset,
        summary="Tar shards of many utterances, as WebDataset reads them",
    ),
    Component(
        name="original",
        config=EckerStoreConfig,
        build=build_original,
        summary="Data of e-c-k-e-r/vall-e: .enc, .dac, .dec, .nem or data.h5; to read only",
        trial=Trial(facts={"writes": False}),
    ),
)
