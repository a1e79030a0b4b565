"""Clips in the form that the judges use: mono, 16 kHz."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from vall_e.plugin import Evidence

SAMPLE_RATE = 16_000
Samples = NDArray[np.float32]
"""(s,) at 16 kHz."""


def samples_of(evidence: Evidence) -> Samples:
    """The samples of the clip."""
    return evidence.clip.mono().resample(SAMPLE_RATE).samples


def compared(evidence: Evidence) -> tuple[Samples, Samples] | None:
    """The samples of the original, and as many of the clip (cut or padded); None without one."""
    if evidence.original is None:
        return None
    original = evidence.original.mono().resample(SAMPLE_RATE).samples
    samples = samples_of(evidence)[: len(original)]
    return original, np.pad(samples, (0, len(original) - len(samples)))
