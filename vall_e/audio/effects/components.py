"""The audio effects of the core, and how they are built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vall_e.audio.effects.options import LimiterConfig, LoudnessConfig
from vall_e.registry import Component

if TYPE_CHECKING:
    from vall_e.interfaces.audio_effect import AudioEffect


def build_limiter(config: LimiterConfig) -> AudioEffect:
    from vall_e.audio.effects.limiter import Limiter

    return Limiter(config)


def build_loudness(config: LoudnessConfig) -> AudioEffect:
    from vall_e.audio.effects.normalized import LoudnessNormalizer

    return LoudnessNormalizer(config)


AUDIO_EFFECTS: list[Component[Any]] = [
    Component(
        name="limiter",
        config=LimiterConfig,
        build=build_limiter,
        summary="a gain, and a limit for peaks that looks ahead",
    ),
    Component(
        name="loudness",
        config=LoudnessConfig,
        build=build_loudness,
        summary="each result equally loud; a stream sounds when it is complete",
    ),
]
