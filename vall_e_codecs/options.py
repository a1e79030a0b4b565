"""Options of the built-in codecs. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import field, frozen, validators


@frozen
class EmbeddedCodecConfig:
    path: Path | None = None
    """A codec file of `vall-e codec train`; left out, the codec that VALL-E carries."""


@frozen
class EncodecConfig:
    path: Path | None = None
    """`encodec_24khz-d7cc33bc.th`, or `model.safetensors` of facebook/encodec_24khz (or 48)."""
    sample_rate: Literal[24000, 48000] = 24000
    """Which of the two codecs the weights are of: that for speech, or that for music in stereo."""
    levels: int = field(default=8, validator=[validators.ge(1), validators.le(32)])
    """Each is 0.75 kbit/s; at 48 kHz 1.5 kbit/s, and at most 16."""
    implementation: Literal["auto", "encodec", "transformers"] = "auto"
    """The package that runs it; `auto` takes `encodec` where it imports, else transformers."""
    download: bool = False
    """Fetch the weights from Meta's server if they are not here (93 MB, checked by SHA-256)."""
    sha256: str = ""
    """Of `encodec_48khz-7e698e3e.th`, to fetch it; that of the other file is known."""
    cache: Path | None = None
    """Folder for fetched weights; left out, `~/.cache/vall-e`."""


@frozen
class VocosConfig:
    path: Path | None = None
    """`pytorch_model.bin` of charactr/vocos-encodec-24khz."""
    encodec_path: Path | None = None
    """EnCodec's weights, as for the codec `encodec`: it is what encodes."""
    levels: int = field(default=8, validator=[validators.ge(1), validators.le(16)])
    """Each is 0.75 kbit/s."""
    implementation: Literal["auto", "vocos", "vall-e"] = "auto"
    """The code that runs it; `auto` takes the package `vocos` where it imports, else our own."""
    download: bool = False
    """Fetch the weights of both networks if they are not here; needs `revision` and `sha256`."""
    revision: str = ""
    """Commit of charactr/vocos-encodec-24khz on the Hugging Face hub."""
    sha256: str = ""
    """Of `pytorch_model.bin` at that commit."""
    cache: Path | None = None
    """Folder for fetched weights; left out, `~/.cache/vall-e`."""


@frozen
class CommandConfig:
    """No options."""
