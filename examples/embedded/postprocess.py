"""From an engine's output to a recording: one sample rate, no long silences, one level."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

SAMPLE_RATE = 24_000
LEVEL_DECIBELS = -24.0
"""Root mean square, relative to full scale."""
LOUDEST = 0.97
"""Largest sample; recordings with high peaks get less than the level, to avoid clipping."""
SILENCE = 0.01
"""Samples below this share of the loudest count as silence."""
LEAD_SECONDS, TAIL_SECONDS = 1 / 12, 1 / 8
SHORTEST_SECONDS = 0.25

Samples = NDArray[np.float32]


class TooShortError(ValueError):
    """The engine's output is empty or almost empty."""


def finish(samples: Samples, sample_rate: int, *, warp: float = 1.0) -> Samples:
    """Resample to 24 kHz as if it had been recorded at `warp` times its rate, trim and level."""
    if sample_rate * warp != SAMPLE_RATE:
        samples = soxr.resample(samples, sample_rate * warp, SAMPLE_RATE)
    if len(samples) < SHORTEST_SECONDS * SAMPLE_RATE or not samples.any():
        raise TooShortError(f"only {len(samples) / SAMPLE_RATE:.2f} s, or silence")
    return level(trim(samples))


def trim(samples: Samples) -> Samples:
    """Cut the silence at both ends down to about 0.1 s."""
    loudness = np.abs(samples)
    loud = np.flatnonzero(loudness > SILENCE * loudness.max())
    start = max(0, loud[0] - int(LEAD_SECONDS * SAMPLE_RATE))
    return samples[start : loud[-1] + int(TAIL_SECONDS * SAMPLE_RATE)]


def level(samples: Samples) -> Samples:
    """Set the root mean square to `LEVEL_DECIBELS`, unless a sample becomes too loud."""
    rms = float(np.sqrt(np.mean(samples**2)))
    gain = 10 ** (LEVEL_DECIBELS / 20) / rms
    return samples * np.float32(min(gain, LOUDEST / float(np.abs(samples).max())))
