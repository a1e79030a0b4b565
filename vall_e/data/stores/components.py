"""Stores that ship in the core. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vall_e.data.stores.options import EckerStoreConfig, FolderConfig, Hdf5Config, WebDatasetConfig
from vall_e.interfaces.trial import Trial
from vall_e.registry import Component

if TYPE_CHECKING:
    from vall_e.interfaces.store import Store


def build_folder(config: FolderConfig) -> Store:
    from vall_e.data.stores.folder import FolderStore

    return FolderStore()


def build_hdf5(config: Hdf5Config) -> Store:
    from vall_e.data.stores.hdf5 import Hdf5Store

    return Hdf5Store()


def build_webdataset(config: WebDatasetConfig) -> Store:
    from vall_e.data.stores.webdataset import WebDatasetStore

    return WebDatasetStore(shard_bytes=int(config.shard_megabytes * 1e6))


def build_ecker(config: EckerStoreConfig) -> Store:
    from vall_e.data.stores.ecker import EckerStore

    return EckerStore(split=config.split, bad_files=config.bad_files)


STORES = (
    Component(
        name="folder",
        config=FolderConfig,
        build=build_folder,
        summary="the output of `vall-e data process`: a manifest and one file of codes",
    ),
    Component(
        name="hdf5",
        config=Hdf5Config,
        build=build_hdf5,
        summary="one HDF5 file, losslessly compressed (needs h5py)",
    ),
    Component(
        name="webdataset",
        config=WebDatasetConfig,
        build=build_webdataset,
        summary="tar shards of many utterances, readable with WebDataset",
    ),
    Component(
        name="ecker",
        aliases=("original",),
        config=EckerStoreConfig,
        build=build_ecker,
        summary="data of e-c-k-e-r/vall-e: .enc, .dac, .dec, .nem or data.h5; read-only",
        trial=Trial(facts={"writes": False}),
    ),
)
