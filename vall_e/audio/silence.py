"""Trims silence around a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve

from vall_e.audio.power import window_power

if TYPE_CHECKING:
    from vall_e.audio.clip import Clip

WINDOW_SECONDS = 0.02


def trim(clip: Clip, *, below_db: float = -40.0, keep_seconds: float = 0.05) -> Clip:
    """Without the ends that are `below_db` or more under the loudest window, except a margin.

    A clip of zeros becomes an empty one.
    """
    window, keep = _samples(WINDOW_SECONDS, clip), _samples(keep_seconds, clip)
    power = window_power(clip.samples, window)
    loud = np.flatnonzero(power > power.max(initial=0.0) * 10 ** (below_db / 10))
    if not loud.size:
        return evolve(clip, samples=clip.samples[..., :0])
    first = max(0, int(loud[0]) * window - keep)
    last = (int(loud[-1]) + 1) * window + keep
    return evolve(clip, samples=clip.samples[..., first:last])


def _samples(seconds: float, clip: Clip) -> int:
    return round(seconds * clip.sample_rate)
