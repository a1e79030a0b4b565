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
    """Number of codebook levels (137.5 bit/s each); the first is semantic, the others acoustic."""
    download: bool = False
    """Download the weights if they are missing; needs `revision` and `sha256`."""
    revision: str = ""
    """Commit of kyutai/mimi on the Hugging Face hub."""
    sha256: str = ""
    """SHA-256 of `model.safetensors` at that commit."""
    cache: Path | None = None
    """Folder for downloaded weights; default: `~/.cache/vall-e`."""
