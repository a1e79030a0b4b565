"""Zero-shot text-to-speech with neural codec language models.

    import vall_e

    synthesizer = vall_e.load()
    synthesizer.synthesize("Hello.").save("hello.wav")

The names below are imported when first used: `import vall_e` alone does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vall_e.adaptation.adapt import Adaptation, adapt
    from vall_e.audio.clip import Clip
    from vall_e.audio.codes import Codes
    from vall_e.codec.codec import Codec
    from vall_e.errors import VallEError
    from vall_e.synthesis.load import load
    from vall_e.synthesis.request import Request
    from vall_e.synthesis.result import Chunk, Result
    from vall_e.synthesis.synthesizer import Synthesizer
    from vall_e.synthesis.voice import Voice
    from vall_e.training.train import TrainedRun, train

    __version__: str

__all__ = [
    "Adaptation",
    "Chunk",
    "Clip",
    "Codec",
    "Codes",
    "Request",
    "Result",
    "Synthesizer",
    "TrainedRun",
    "VallEError",
    "Voice",
    "__version__",
    "adapt",
    "load",
    "train",
]

_HOMES = {
    "Adaptation": "vall_e.adaptation.adapt",
    "Chunk": "vall_e.synthesis.result",
    "Clip": "vall_e.audio.clip",
    "Codec": "vall_e.codec.codec",
    "Codes": "vall_e.audio.codes",
    "Request": "vall_e.synthesis.request",
    "Result": "vall_e.synthesis.result",
    "Synthesizer": "vall_e.synthesis.synthesizer",
    "TrainedRun": "vall_e.training.train",
    "VallEError": "vall_e.errors",
    "Voice": "vall_e.synthesis.voice",
    "adapt": "vall_e.adaptation.adapt",
    "load": "vall_e.synthesis.load",
    "train": "vall_e.training.train",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib import metadata

        return metadata.version("vall-e")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'vall_e' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
