"""Samples as 16-bit integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int16

SCALE = 32_768
"""Readers divide by this, so that 16-bit input is written back exactly."""


def as_pcm16(samples: Float[np.ndarray, "*axes"]) -> Int16[np.ndarray, "*axes"]:
    """Rounded; samples beyond full scale are clipped. libsndfile would round down."""
    scaled = np.clip(np.rint(samples * SCALE), -SCALE, SCALE - 1)
    return np.asarray(scaled, dtype=np.int16)
