"""How loud a clip is, and how to change that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vall_e.audio.clip import Clip

PEAK = 0.99


def rms_db(clip: Clip) -> float:
    """Root mean square in dB of full scale; -inf for silence."""
    if not clip.samples.size:
        return float("-inf")
    mean = float(np.square(clip.samples, dtype=np.float64).mean())
    return float(10 * np.log10(mean)) if mean > 0 else float("-inf")


def normalize(clip: Clip, target_db: float, *, peak: float = PEAK) -> Clip:
    """As loud as `target_db`, or as near as it comes without a sample beyond `peak`.

    The gain is the same for all samples. Silence stays as it is.
    """
    level = rms_db(clip)
    if not np.isfinite(level):
        return clip
    gain = min(10 ** ((target_db - level) / 20), peak / float(np.abs(clip.samples).max()))
    return evolve(clip, samples=clip.samples * np.float32(gain))


def window_power(samples: NDArray[np.float32], window: int) -> NDArray[np.float64]:
    """Mean square of each `window` samples, over all channels; the last may be a shorter one."""
    square = np.atleast_2d(np.square(samples, dtype=np.float64)).mean(axis=0)
    if not square.size:
        return np.zeros(0)
    starts = np.arange(0, square.size, max(1, window))
    lengths = np.diff(np.append(starts, square.size))
    return np.asarray(np.add.reduceat(square, starts) / lengths)
