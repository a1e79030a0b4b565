"""The names that a plugin may import from the core. Nothing else is stable."""

from vall_e.drawing import draw_categorical
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
from vall_e.hookspecs import HOOK_API, hookimpl
from vall_e.interfaces import (
    AttentionKernel,
    Backbone,
    Cache,
    Codec,
    CodecStream,
    Draw,
    Engine,
    Exporter,
    LogitsProcessor,
    Phonemizer,
    Sample,
    Sampler,
    Source,
    Task,
)
from vall_e.registry import Component

__all__ = [
    "HOOK_API",
    "AttentionKernel",
    "AudioError",
    "Backbone",
    "Cache",
    "CheckpointError",
    "Codec",
    "CodecStream",
    "Component",
    "ConfigError",
    "DataError",
    "DownloadError",
    "Draw",
    "Engine",
    "Exporter",
    "LogitsProcessor",
    "Phonemizer",
    "PluginError",
    "Sample",
    "Sampler",
    "Source",
    "Task",
    "TextError",
    "TrainingError",
    "UnavailableError",
    "VallEError",
    "draw_categorical",
    "hookimpl",
]
