"""The metadata of a weights file, without its tensors. Torch-free."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open

from vall_e.errors import CheckpointError

FORMAT = 1
"""Version of the file's layout. A newer one is refused."""


def read_metadata(path: Path) -> dict[str, str]:
    """Only the metadata, checked; fast for any size of file."""
    require_file(path)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
    except (SafetensorError, OSError) as exc:
        raise CheckpointError(
            f"{path} is damaged or not a safetensors file: {exc}", hint="export or copy it again"
        ) from exc
    require_format(metadata, path)
    return metadata


def require_file(path: Path) -> None:
    if not path.is_file():
        raise CheckpointError(
            f"there is no weights file {path}", hint="check the path given with -m"
        )


def require_format(metadata: Mapping[str, str], path: Path) -> None:
    """Raise `CheckpointError` for a LoRA, or a file of another program or a newer version."""
    if "lora" in metadata and "config" not in metadata:
        raise CheckpointError(
            f"{path} is a LoRA, not a whole model",
            hint="give it with --lora, and its base model with -m",
        )
    if "format" not in metadata:
        raise CheckpointError(
            f"{path} has no config in its metadata, so it was not written by this project",
            hint="make one with vall-e export, or vall-e models convert",
        )
    if json.loads(metadata["format"]) > FORMAT:
        raise CheckpointError(
            f"{path} has format {metadata['format']}, but this version reads up to {FORMAT}",
            hint="update vall-e",
        )
