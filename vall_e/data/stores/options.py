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
    """A new shard is started when one reaches this size."""


@frozen
class EckerStoreConfig:
    split: str = field(
        default="training", validator=validators.in_(("training", "validation", "noise"))
    )
    """The split of a `data.h5` to read."""
    bad_files: Literal["error", "skip"] = "error"
    """Files that are damaged, malicious or from another codec: refuse all, or leave each out with a
    warning."""
