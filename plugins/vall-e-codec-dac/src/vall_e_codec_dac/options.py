"""Options of the DAC codec. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import field, frozen, validators


@frozen
class DacConfig:
    """Options of `dac`."""

    path: Path | None = None
    """`model.safetensors` of descript/dac_44khz (or 16, 24) on the Hugging Face hub, or `.pth`."""
    sample_rate: Literal[16000, 24000, 44100] = 44100
    """Sample rate of the model that the weights belong to."""
    levels: int = field(default=9, validator=[validators.ge(1), validators.le(32)])
    """Number of codebook levels, at most 12, 32 and 9 at 16, 24 and 44.1 kHz (there 0.86 kbit/s
    each)."""
    implementation: Literal["auto", "dac", "transformers"] = "auto"
    """The package to use; `auto` uses `dac` if it can be imported, otherwise transformers."""
    download: bool = False
    """Download the weights if they are missing; needs `revision` and `sha256`."""
    revision: str = ""
    """Commit of descript/dac_44khz (or 16, 24) on the Hugging Face hub."""
    sha256: str = ""
    """SHA-256 of `model.safetensors` at that commit."""
    cache: Path | None = None
    """Folder for downloaded weights; default: `~/.cache/vall-e`."""
