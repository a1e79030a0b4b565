"""Options of the built-in judges, transcribers and embedders. No torch here."""

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
    """Sentences of a forced choice, the right one included."""


@frozen
class SimilarityConfig:
    weights: Path | None = None
    """Another `pretrained.pt` of Resemblyzer. Default: the one in its package."""


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
    """Another `pretrained.pt` of Resemblyzer. Default: the one in its package."""


@frozen
class SphinxConfig:
    pause_seconds: float = field(default=0.4, validator=validators.gt(0))
    """A pause as long as this ends a passage."""


@frozen
class FasterWhisperConfig:
    model: str = "small"
    """A size, or a folder of converted weights; a size is downloaded once."""
    compute_type: str = "default"
    """Of CTranslate2: `int8`, `float16`, `default`, ..."""
    beams: int = field(default=5, validator=validators.ge(1))
    """Of the beam search; 1 is the fastest."""


@frozen
class WhisperxConfig:
    model: str = "small"
    """A size, or a folder of converted weights; a size is downloaded once."""
    compute_type: str = "default"
    """Of CTranslate2: `int8`, `float16`, `default`, ..."""
    diarize: bool = False
    """Tell speakers apart with pyannote; its weights ask for a token in `HF_TOKEN`."""


@frozen
class PipelineConfig:
    model: str = "openai/whisper-small"
    """A folder, or a repository of the hub: Whisper, or a CTC model."""
    revision: str = ""
    """Of the repository. Empty: its newest."""
    chunk_seconds: float = field(default=30.0, validator=validators.gt(0))
    """Longer recordings are heard in chunks of this."""
