"""Options of the stores. No torch here."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators


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
