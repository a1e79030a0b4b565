"""A hash of what a safetensors file holds, kept in the file, so that damage is noticed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from vall_e.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

KEY = "sha256"
"""Of the metadata; files of older versions lack it, and are read without the check."""


def with_hash(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata with the hash of all tensors and of all other metadata."""
    return {**metadata, KEY: _hash(tensors, metadata)}


def require_hash(
    tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str], path: Path
) -> None:
    """Raise `CheckpointError` if the file is not what was written."""
    if KEY in metadata and metadata[KEY] != _hash(tensors, metadata):
        raise CheckpointError(
            f"{path} is damaged: its content does not match its hash",
            hint="make it again from its recording",
        )


def _hash(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    facts = {key: value for key, value in metadata.items() if key != KEY}
    digest.update(json.dumps(facts, sort_keys=True).encode())
    for name, array in sorted(tensors.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
