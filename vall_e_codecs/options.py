"""Options of the built-in codecs. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import field, frozen, validators


@frozen
class EmbeddedCodecConfig:
    path: Path | None = None
    """A codec file of `vall-e codec train`; default: the codec included in VALL-E."""


@frozen
class EncodecConfig:
    path: Path | None = None
    """`encodec_24khz-d7cc33bc.th`, or `model.safetensors` of facebook/encodec_24khz (or 48)."""
    sample_rate: Literal[24000, 48000] = 24000
    """Sample rate of the model: 24000 for speech, or 48000 for music in stereo."""
    levels: int = field(default=8, validator=[validators.ge(1), validators.le(32)])
    """Number of codebook levels. Each is 0.75 kbit/s; at 48 kHz 1.5 kbit/s, and at most 16."""
    implementation: Literal["auto", "encodec", "transformers"] = "auto"
    """The package to use; `auto` uses `encodec` if it can be imported, otherwise transformers."""
    download: bool = False
    """Download the weights from Meta's server if they are missing (93 MB, checked by SHA-256)."""
    sha256: str = ""
    """SHA-256 of `encodec_48khz-7e698e3e.th`, for its download; the other file's is known."""
    cache: Path | None = None
    """Folder for downloaded weights; default: `~/.cache/vall-e`."""


@frozen
class VocosConfig:
    path: Path | None = None
    """`pytorch_model.bin` of charactr/vocos-encodec-24khz."""
    encodec_path: Path | None = None
    """EnCodec's weights, as for the codec `encodec`, which encodes."""
    levels: int = field(default=8, validator=[validators.ge(1), validators.le(16)])
    """Number of codebook levels. Each is 0.75 kbit/s."""
    implementation: Literal["auto", "vocos", "vall-e"] = "auto"
    """The code to use; `auto` uses the package `vocos` if it can be imported, else our own."""
    download: bool = False
    """Download the weights of both networks if missing; needs `revision` and `sha256`."""
    revision: str = ""
    """Commit of charactr/vocos-encodec-24khz on the Hugging Face hub."""
    sha256: str = ""
    """SHA-256 of `pytorch_model.bin` at that commit."""
    cache: Path | None = None
    """Folder for downloaded weights; default: `~/.cache/vall-e`."""


@frozen
class CommandConfig:
    """No options."""
