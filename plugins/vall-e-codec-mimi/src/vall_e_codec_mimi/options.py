"""Options of the Mimi codec. No torch here."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen, validators


@frozen
class MimiConfig:
    """Options of `mimi`."""

    path: Path | None = None
    """`model.safetensors` of kyutai/mimi on the Hugging Face hub."""
    levels: int = field(default=8, validator=[validators.ge(1), validators.le(32)])
    """Each is 137.5 bit/s; the first one is for what is said, the others are for how it sounds."""
    download: bool = False
    """Fetch the weights if they are not here; needs `revision` and `sha256`."""
    revision: str = ""
    """Commit of kyutai/mimi on the Hugging Face hub."""
    sha256: str = ""
    """Of `model.safetensors` at that commit."""
    cache: Path | None = None
    """Folder for fetched weights; left out, `~/.cache/vall-e`."""
