"""Power of a signal in overlapping windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float32, Float64


def window_power(
    samples: Float32[np.ndarray, "*c s"], window: int
) -> Float64[np.ndarray, " windows"]:
    """Mean square of each `window` samples, over all channels; the last window may be shorter."""
    square = np.atleast_2d(np.square(samples, dtype=np.float64)).mean(axis=0)
    if not square.size:
        return np.zeros(0)
    starts = np.arange(0, square.size, max(1, window))
    lengths = np.diff(np.append(starts, square.size))
    return np.asarray(np.add.reduceat(square, starts) / lengths)
