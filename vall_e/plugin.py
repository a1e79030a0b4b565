"""The names that a plugin may import from the core. Nothing else is stable."""

from importlib import import_module
from typing import TYPE_CHECKING

from vall_e.atomic_write import atomic_path, write_atomically
from vall_e.categorical import draw_categorical
from vall_e.damaged_files import damage_as
from vall_e.errors import (
    AudioError,
    CheckpointError,
    ConfigError,
    DataError,
    DownloadError,
    PluginError,
    TextError,
    TrainingError,
    UnavailableError,
    VallEError,
)
from vall_e.file_hash import sha256_of
from vall_e.hookspecs import HOOK_API, hookimpl
from vall_e.interfaces.attention import AttentionCase, AttentionKernel
from vall_e.interfaces.audio_effect import AudioEffect, Detecting, EffectStream
from vall_e.interfaces.backbone import (
    Backbone,
    Cache,
    Gathering,
    Joinable,
    Layered,
    LayeredCache,
    SteadyCache,
    Stepping,
)
from vall_e.interfaces.codec import (
    Blockwise,
    Codec,
    CodecStream,
    Listener,
    Listening,
    Local,
    Vectored,
)
from vall_e.interfaces.data_engine import DataEngine
from vall_e.interfaces.embedder import Embedder
from vall_e.interfaces.export import Exporter
from vall_e.interfaces.judge import Case, Evidence, Figure, Judge, Score, Sound, Verdict
from vall_e.interfaces.opening import Opening
from vall_e.interfaces.sampling import Draw, LogitsProcessor, Sampler, Stateful
from vall_e.interfaces.store import Entry, Info, Item, Lenient, Reduced, Store, Stored
from vall_e.interfaces.task import Recorded, Sample, Segment, Source, Task, Wants
from vall_e.interfaces.text import Normalizer, Phonemizer
from vall_e.interfaces.tracker import TrackedRun, Tracker
from vall_e.interfaces.training import Averaging, Engine, Rounding
from vall_e.interfaces.transcriber import Passage, Transcriber, Transcript, Word
from vall_e.interfaces.trial import Trial
from vall_e.registry import Component

if TYPE_CHECKING:
    from vall_e.decoding.job import Decoded, Job
    from vall_e.decoding.level_0 import Level0, Settling, Strategy
    from vall_e.model.valle import Valle
    from vall_e.weights.file import Bundle
else:

    def __getattr__(name: str) -> type:
        """Import what needs torch only when it is used."""
        if name not in _WITH_TORCH:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_WITH_TORCH[name]), name)


_WITH_TORCH = {
    "Bundle": "vall_e.weights.file",
    "Decoded": "vall_e.decoding.job",
    "Job": "vall_e.decoding.job",
    "Level0": "vall_e.decoding.level_0",
    "Settling": "vall_e.decoding.level_0",
    "Strategy": "vall_e.decoding.level_0",
    "Valle": "vall_e.model.valle",
}


__all__ = [
    "HOOK_API",
    "AttentionCase",
    "AttentionKernel",
    "AudioEffect",
    "AudioError",
    "Averaging",
    "Backbone",
    "Blockwise",
    "Bundle",
    "Cache",
    "Case",
    "CheckpointError",
    "Codec",
    "CodecStream",
    "Component",
    "ConfigError",
    "DataEngine",
    "DataError",
    "Decoded",
    "Detecting",
    "DownloadError",
    "Draw",
    "EffectStream",
    "Embedder",
    "Engine",
    "Entry",
    "Evidence",
    "Exporter",
    "Figure",
    "Gathering",
    "Info",
    "Item",
    "Job",
    "Joinable",
    "Judge",
    "Layered",
    "LayeredCache",
    "Lenient",
    "Level0",
    "Listener",
    "Listening",
    "Local",
    "LogitsProcessor",
    "Normalizer",
    "Opening",
    "Passage",
    "Phonemizer",
    "PluginError",
    "Recorded",
    "Reduced",
    "Rounding",
    "Sample",
    "Sampler",
    "Score",
    "Segment",
    "Settling",
    "Sound",
    "Source",
    "Stateful",
    "SteadyCache",
    "Stepping",
    "Store",
    "Stored",
    "Strategy",
    "Task",
    "TextError",
    "TrackedRun",
    "Tracker",
    "TrainingError",
    "Transcriber",
    "Transcript",
    "Trial",
    "UnavailableError",
    "VallEError",
    "Valle",
    "Vectored",
    "Verdict",
    "Wants",
    "Word",
    "atomic_path",
    "damage_as",
    "draw_categorical",
    "hookimpl",
    "sha256_of",
    "write_atomically",
]
