"""The audio effect `limiter`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from vall_e.audio.effects.options import LimiterConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float32


class Limiter:
    """A gain, then a limit for peaks."""

    def __init__(self, config: LimiterConfig) -> None:
        self.config = config

    def stream(self, sample_rate: int, provenance: Mapping[str, Any]) -> LimiterStream:
        return LimiterStream(self.config, sample_rate)


class LimiterStream:
    """Lowers the gain before a peak, without a step.

    The gain of a sample is a mean over the `ahead` before it: of the lowest that is needed within
    the `ahead` after each.
    """

    def __init__(self, config: LimiterConfig, sample_rate: int) -> None:
        self._gain = np.float32(10 ** (config.gain_db / 20))
        self._ceiling = np.float32(10 ** (config.ceiling_db / 20))
        self._ahead = max(1, round(config.ahead_seconds * sample_rate))
        self._held = np.zeros(0, np.float32)
        """Samples after the gain that are not given out yet."""
        self._needed = np.ones(self._ahead, np.float32)
        """The gain that each sample needs: of the `ahead` before `_held`, and of `_held`."""

    def push(self, audio: Float32[np.ndarray, " s"]) -> Float32[np.ndarray, " n"]:
        louder = audio.astype(np.float32) * self._gain
        peaks = np.maximum(np.abs(louder), self._ceiling)
        self._held = np.concatenate([self._held, louder])
        self._needed = np.concatenate([self._needed, self._ceiling / peaks])
        return self._give(len(self._held) - self._ahead)

    def flush(self) -> Float32[np.ndarray, " n"]:
        self._needed = np.concatenate([self._needed, np.ones(self._ahead, np.float32)])
        return self._give(len(self._held))

    def _give(self, count: int) -> Float32[np.ndarray, " n"]:
        if count <= 0:
            return np.zeros(0, np.float32)
        size = self._ahead + 1
        lowest = sliding_window_view(self._needed[: count + 2 * self._ahead], size).min(axis=-1)
        gains = sliding_window_view(lowest, size).mean(axis=-1, dtype=np.float32)
        out = self._held[:count] * gains
        self._held, self._needed = self._held[count:], self._needed[count:]
        return np.asarray(np.clip(out, -self._ceiling, self._ceiling), np.float32)
