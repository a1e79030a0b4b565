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
    """Which of the three codecs the weights are of."""
    levels: int = field(default=9, validator=[validators.ge(1), validators.le(32)])
    """At most 12, 32 and 9 at 16, 24 and 44.1 kHz; there, each is 0.86 kbit/s."""
    implementation: Literal["auto", "dac", "transformers"] = "auto"
    """The package that runs it; `auto` takes `dac` where it imports, else transformers."""
    download: bool = False
    """Fetch the weights if they are not here; needs `revision` and `sha256`."""
    revision: str = ""
    """Commit of descript/dac_44khz (or 16, 24) on the Hugging Face hub."""
    sha256: str = ""
    """Of `model.safetensors` at that commit."""
    cache: Path | None = None
    """Folder for fetched weights; left out, `~/.cache/vall-e`."""
