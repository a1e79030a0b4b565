"""Options of the built-in tasks. No torch here."""

from __future__ import annotations

import math
from typing import Any

from attrs import field, frozen, validators

_probability = [validators.ge(0.0), validators.le(1.0)]


def _in_order(instance: object, attribute: Any, value: tuple[float, float]) -> None:
    if not -math.inf < value[0] <= value[1] < math.inf:
        raise ValueError(f"must be two numbers, the smaller first: {list(value)}")


@frozen
class TtsConfig:
    language: bool = True
    """Tell the model the language (models of one language do without)."""


@frozen
class ContinuedConfig:
    language: bool = True
    """Tell the model the language (models of one language do without)."""


@frozen
class NoiseConfig:
    language: bool = True
    """Tell the model the language (models of one language do without)."""
    decibels: tuple[float, float] = field(default=(0.0, 20.0), validator=_in_order)
    """How much louder than the noise the speech is; drawn for each sample."""
    without_text: float = field(default=0.5, validator=_probability)
    """Share of the samples whose text is left out, so that a request need not bring one."""


@frozen
class ExtractionConfig:
    language: bool = True
    """Tell the model the language (models of one language do without)."""
    decibels: tuple[float, float] = field(default=(0.0, 6.0), validator=_in_order)
    """How much louder than the other speaker the one of the prompt is; drawn for each sample."""
    without_text: float = field(default=0.5, validator=_probability)
    """Share of the samples whose text is left out, so that a request need not bring one."""


@frozen
class ConversionConfig:
    language: bool = True
    """Tell the model the language (models of one language do without)."""


@frozen
class RecognitionConfig:
    language: bool = True
    """Tell the model the language (models of one language do without)."""


@frozen
class LengthConfig:
    language: bool = True
    """Tell the model the language (models of one language do without)."""


@frozen
class EditingConfig:
    language: bool = True
    """Tell the model the language (models of one language do without)."""
    only_one_side: float = field(default=0.25, validator=_probability)
    """Share of the samples where the edit is at the beginning or the end of the recording."""


@frozen
class NoisyEditingConfig:
    language: bool = True
    """Tell the model the language (models of one language do without)."""
    only_one_side: float = field(default=0.25, validator=_probability)
    """Share of the samples where the edit is at the beginning or the end of the recording."""
    decibels: tuple[float, float] = field(default=(0.0, 20.0), validator=_in_order)
    """How much louder than the noise the speech is; drawn for each sample."""


@frozen
class PhonemizationConfig:
    language: bool = True
    """Tell the model the language (models of one language do without)."""


@frozen
class UnphonemizationConfig:
    language: bool = True
    """Tell the model the language (models of one language do without)."""
