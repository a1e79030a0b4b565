"""Removes the constant offset that cheap sound cards add to a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve

if TYPE_CHECKING:
    from vall_e.audio.clip import Clip

LEAST = 0.003
"""Relative to full scale. Less is inaudible, and a valid recording stays unchanged."""


def without_offset(clip: Clip) -> Clip:
    """The clip with a mean of 0 in each channel; unchanged if no channel is off by much."""
    if not clip.samples.size:
        return clip
    means = clip.samples.mean(axis=-1, keepdims=True)
    if float(np.abs(means).max()) < LEAST:
        return clip
    return evolve(clip, samples=clip.samples - means)
