"""The audio effect `perth`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr
import torch

from vall_e_watermark_perth.network import SAMPLE_RATE, PerthNetwork
from vall_e_watermark_perth.options import PerthConfig

if TYPE_CHECKING:
    from jaxtyping import Float32

CONTEXT_SECONDS = 0.2
"""On each side of a block: what the network sees around a frame, and half a window."""
SHORTEST_SECONDS = 0.1
"""Shorter audio has no room for a mark."""


class Perth:
    """Adds the mark, and finds it again."""

    def __init__(self, config: PerthConfig, network: PerthNetwork) -> None:
        self.config = config
        self._network = network

    def stream(self, sample_rate: int, provenance: Mapping[str, Any]) -> PerthStream:
        return PerthStream(self._network, sample_rate, self.config.block_seconds)

    def detect(self, audio: Float32[np.ndarray, " s"], sample_rate: int) -> str | None:
        if len(audio) < SHORTEST_SECONDS * sample_rate:
            return None
        confidence = self._network.confidence(_tensor(audio, sample_rate, SAMPLE_RATE))
        if confidence < self.config.threshold:
            return None
        return f"Perth watermark of Resemble AI (confidence {confidence:.2f})"


class PerthStream:
    """Blocks at fixed places, each marked with what is around it: cuts of the input do not count.

    Only what the mark adds is resampled, so the audio itself stays as it is.
    """

    def __init__(self, network: PerthNetwork, sample_rate: int, block_seconds: float) -> None:
        self._network = network
        self._rate = sample_rate
        self._block = round(block_seconds * sample_rate)
        self._context = round(CONTEXT_SECONDS * sample_rate)
        self._before = 0
        """Samples at the start of `_held` that have been given out."""
        self._held = np.zeros(0, np.float32)

    def push(self, audio: Float32[np.ndarray, " s"]) -> Float32[np.ndarray, " n"]:
        self._held = np.concatenate([self._held, audio])
        parts = [np.zeros(0, np.float32)]
        while len(self._held) - self._before >= self._block + self._context:
            parts.append(self._next(self._block, self._context))
        return np.concatenate(parts)

    def flush(self) -> Float32[np.ndarray, " n"]:
        return self._next(len(self._held) - self._before, 0)

    def _next(self, count: int, after: int) -> Float32[np.ndarray, " n"]:
        end = self._before + count
        seen = self._held[: end + after]
        block = slice(self._before, end)
        out = seen[block] + self._mark(seen)[block]
        kept = max(0, end - self._context)
        self._held, self._before = self._held[kept:], end - kept
        return np.asarray(np.clip(out, -1, 1), np.float32)

    def _mark(self, audio: Float32[np.ndarray, " s"]) -> Float32[np.ndarray, " s"]:
        """What the mark adds."""
        if len(audio) < SHORTEST_SECONDS * self._rate:
            return np.zeros_like(audio)
        mark = self._network.mark(_tensor(audio, self._rate, SAMPLE_RATE)).numpy()
        added = np.zeros_like(audio)
        resampled = soxr.resample(mark, SAMPLE_RATE, self._rate)[: len(audio)]
        added[: len(resampled)] = resampled
        return added


def _tensor(audio: Float32[np.ndarray, " s"], rate: int, wanted: int) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(soxr.resample(audio, rate, wanted)))
