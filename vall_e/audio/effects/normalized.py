"""The audio effect `loudness`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vall_e.audio.effects.options import LoudnessConfig
from vall_e.audio.loudness import GATE_LUFS, lufs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float32


class LoudnessNormalizer:
    """Brings each result to one loudness."""

    def __init__(self, config: LoudnessConfig) -> None:
        self.config = config

    def stream(self, sample_rate: int, provenance: Mapping[str, Any]) -> LoudnessStream:
        return LoudnessStream(self.config, sample_rate)


class LoudnessStream:
    """Holds everything back: the loudness of the whole is known at the end."""

    def __init__(self, config: LoudnessConfig, sample_rate: int) -> None:
        self._config = config
        self._sample_rate = sample_rate
        self._pieces: list[Float32[np.ndarray, " s"]] = []

    def push(self, audio: Float32[np.ndarray, " s"]) -> Float32[np.ndarray, " n"]:
        self._pieces.append(audio.copy())
        return np.zeros(0, np.float32)

    def flush(self) -> Float32[np.ndarray, " n"]:
        if not self._pieces:
            return np.zeros(0, np.float32)
        audio = np.concatenate(self._pieces)
        found = lufs(audio, self._sample_rate)
        if found <= GATE_LUFS:
            return audio  # silence has no loudness
        wanted = 10 ** ((self._config.lufs - found) / 20)
        most = 10 ** (self._config.ceiling_db / 20) / np.abs(audio).max()
        return audio * np.float32(min(wanted, most))
