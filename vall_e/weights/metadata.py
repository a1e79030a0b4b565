"""The metadata of a weights file, without its tensors. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from safetensors import safe_open

from vall_e.damaged_files import damage_as, parse_json
from vall_e.errors import CheckpointError

FORMAT = 1
"""Version of the file's layout. A newer one is refused."""
PICKLED = (".pth", ".pt")
"""Suffixes of PyTorch's files, which only e-c-k-e-r/vall-e's may have."""
TYPES: dict[str, type] = {
    "format": int,
    "config": dict,
    "vocabulary": dict,
    "codec": str,
    "sizes": dict,
    "statistics": dict,
    "lora": dict,
    "kept": dict,
    "kept_layout": dict,
}
"""Of the values of the metadata, which are JSON."""


def reading_weights(path: Path) -> AbstractContextManager[None]:
    """Whatever a damaged file of weights raises becomes a `CheckpointError` that names it."""
    return damage_as(
        CheckpointError,
        path,
        what="is damaged or not a safetensors file",
        hint="export or copy it again",
    )


def read_metadata(path: Path) -> dict[str, str]:
    """Only the metadata, checked; fast for any size of file."""
    require_file(path)
    if path.suffix in PICKLED:
        raise _of_ecker(path)
    with reading_weights(path), safe_open(path, framework="numpy") as file:
        metadata: dict[str, str] = file.metadata() or {}
        theirs = "format" not in metadata and "sep" in file.keys()  # noqa: SIM118
    if theirs:
        raise _of_ecker(path)
    require_format(metadata, path)
    return metadata


def _of_ecker(path: Path) -> CheckpointError:
    ours = path.with_suffix(".safetensors").name
    return CheckpointError(
        f"{path} is a file of e-c-k-e-r/vall-e, which can speak (-m), but has no options of ours "
        "to start or compare with",
        hint=f"convert it first: vall-e models convert {path} {ours}",
    )


def read_facts(path: Path) -> dict[str, Any]:
    """The values of the metadata, checked to be of their types."""
    metadata = read_metadata(path)
    return {key: fact(metadata, key, path) for key in metadata if key in TYPES}


def fact(metadata: Mapping[str, str], key: str, path: Path) -> Any:
    """One value of the metadata. Raises `CheckpointError` if it is missing or of another type."""
    with damage_as(
        CheckpointError,
        path,
        what=f"has no readable {key!r} in its metadata",
        hint="export it again",
    ):
        value = parse_json(metadata[key])
        if type(value) is not TYPES[key]:
            raise ValueError(f"it is {type(value).__name__}, not {TYPES[key].__name__}")
    return value


def require_file(path: Path) -> None:
    if not path.is_file():
        raise CheckpointError(
            f"there is no weights file {path}", hint="check the path given as `model=`"
        )


def require_format(metadata: Mapping[str, str], path: Path) -> None:
    """Raise `CheckpointError` for a LoRA, or a file of another program or a newer version."""
    if "lora" in metadata and "config" not in metadata:
        raise CheckpointError(
            f"{path} is a LoRA, not a whole model",
            hint="give it as `loras=`, and its base model as `model=`",
        )
    if "format" not in metadata:
        raise CheckpointError(
            f"{path} has no config in its metadata, so it was not written by this project",
            hint="make one with vall-e export, or vall-e models convert",
        )
    if fact(metadata, "format", path) > FORMAT:
        raise CheckpointError(
            f"{path} has format {metadata['format']}, but this version reads up to {FORMAT}",
            hint="update vall-e",
        )
