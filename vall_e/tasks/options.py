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
    """Condition the model on the language (single-language models do not need it)."""


@frozen
class ContinuedConfig:
    language: bool = True
    """Condition the model on the language (single-language models do not need it)."""


@frozen
class NoiseConfig:
    language: bool = True
    """Condition the model on the language (single-language models do not need it)."""
    decibels: tuple[float, float] = field(default=(0.0, 20.0), validator=_in_order)
    """How much louder the speech is than the noise (dB range); drawn at random for each sample."""
    without_text: float = field(default=0.5, validator=_probability)
    """Share of samples without text, so that a request need not contain one."""


@frozen
class ExtractionConfig:
    language: bool = True
    """Condition the model on the language (single-language models do not need it)."""
    decibels: tuple[float, float] = field(default=(0.0, 6.0), validator=_in_order)
    """How much louder the prompt's speaker is than the other (dB range); random for each sample."""
    without_text: float = field(default=0.5, validator=_probability)
    """Share of samples without text, so that a request need not contain one."""


@frozen
class ConversionConfig:
    language: bool = True
    """Condition the model on the language (single-language models do not need it)."""


@frozen
class RecognitionConfig:
    language: bool = True
    """Condition the model on the language (single-language models do not need it)."""


@frozen
class LengthConfig:
    language: bool = True
    """Condition the model on the language (single-language models do not need it)."""


@frozen
class EditingConfig:
    language: bool = True
    """Condition the model on the language (single-language models do not need it)."""
    only_one_side: float = field(default=0.25, validator=_probability)
    """Share of samples whose edit is at the beginning or the end of the recording."""


@frozen
class NoisyEditingConfig:
    language: bool = True
    """Condition the model on the language (single-language models do not need it)."""
    only_one_side: float = field(default=0.25, validator=_probability)
    """Share of samples whose edit is at the beginning or the end of the recording."""
    decibels: tuple[float, float] = field(default=(0.0, 20.0), validator=_in_order)
    """How much louder the speech is than the noise (dB range); drawn at random for each sample."""


@frozen
class PhonemizationConfig:
    language: bool = True
    """Condition the model on the language (single-language models do not need it)."""


@frozen
class UnphonemizationConfig:
    language: bool = True
    """Condition the model on the language (single-language models do not need it)."""
