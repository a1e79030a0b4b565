"""Options of the built-in judges, transcribers and speaker embedders. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import field, frozen, validators


@frozen
class SignalConfig:
    """No options."""


@frozen
class RecognitionJudgeConfig:
    among: int = field(default=50, validator=validators.ge(2))
    """Number of sentences in a forced choice, including the right one."""


@frozen
class SimilarityConfig:
    weights: Path | None = None
    """A different `pretrained.pt` of Resemblyzer. Default: the one in its package."""


@frozen
class CamppConfig:
    weights: Path | None = None
    """A safetensors file made of 3D-Speaker's weights (docs/evaluation.md); without it the judge is
    not used."""


@frozen
class WhisperJudgeConfig:
    model: Path | None = None
    """A folder of weights that were converted for CTranslate2; without it the judge is not used."""
    compute_type: str = "default"
    """Of CTranslate2: `int8`, `float32`, `default`, ..."""
    beams: int = field(default=5, validator=validators.ge(1))
    """Of the beam search; 1 is the fastest."""
    threads: int = field(default=0, validator=validators.ge(0))
    """Of the CPU; 0 lets CTranslate2 choose."""


@frozen
class PesqConfig:
    band: Literal["wb", "nb"] = "wb"
    """`wb`: wide band, at 16 kHz (ITU-T P.862.2); `nb`: narrow band, at 8 kHz (P.862.1)."""


@frozen
class StoiConfig:
    """No options."""


@frozen
class DnsmosConfig:
    """No options."""


@frozen
class ResemblyzerConfig:
    weights: Path | None = None
    """A different `pretrained.pt` of Resemblyzer. Default: the one in its package."""


@frozen
class SphinxConfig:
    pause_seconds: float = field(default=0.4, validator=validators.gt(0))
    """A pause of this length ends a passage."""


@frozen
class FasterWhisperConfig:
    model: str = "small"
    """A model size, or a folder of converted weights; a size is downloaded once."""
    compute_type: str = "default"
    """Compute type of CTranslate2: `int8`, `float16`, `default`, ..."""
    beams: int = field(default=5, validator=validators.ge(1))
    """Beam size of the search; 1 is the fastest."""


@frozen
class WhisperxConfig:
    model: str = "small"
    """A model size, or a folder of converted weights; a size is downloaded once."""
    compute_type: str = "default"
    """Compute type of CTranslate2: `int8`, `float16`, `default`, ..."""
    diarize: bool = False
    """Label speakers with pyannote; its weights need a token in `HF_TOKEN`."""


@frozen
class PipelineConfig:
    model: str = "openai/whisper-small"
    """A folder, or a repository on the Hugging Face hub: Whisper, or a CTC model."""
    revision: str = ""
    """Revision of the repository. Empty: its newest."""
    chunk_seconds: float = field(default=30.0, validator=validators.gt(0))
    """Longer recordings are transcribed in chunks of this length."""
