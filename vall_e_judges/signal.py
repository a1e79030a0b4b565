"""Figures that need no knowledge about speech."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vall_e.plugin import Figure, Score, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from vall_e.plugin import Evidence

FULL_SCALE = 0.999
WINDOW_SECONDS = 0.02
QUIET_DECIBELS = 40.0
"""A window this far below the loudest one is a pause."""
NOTHING = Score(None, reason="it is empty or digital silence")


class Signal:
    """Detects broken clips: empty, too long, quiet, clipped, full of pauses."""

    packages = ()
    remarks = ()
    weights: ClassVar[Mapping[str, str]] = {}
    figures: ClassVar[Mapping[str, Figure]] = {
        "seconds": Figure("length"),
        "seconds_per_word": Figure("pace: 0.25 to 0.5 in English"),
        "level_dbfs": Figure("RMS, in dB of full scale"),
        "clipped": Figure("share of samples at full scale", better="lower"),
        "silence": Figure("share of the time 40 dB below the loudest moment", better="lower"),
    }

    def __call__(self, evidence: Evidence) -> Verdict:
        clip = evidence.clip.mono()
        words = len(evidence.text.split())
        pace = Score(clip.seconds, words) if words else Score(None, reason="its text is not known")
        scores = {"seconds": Score(clip.seconds), "seconds_per_word": pace}
        if not np.any(clip.samples):
            silent = {"level_dbfs": NOTHING, "clipped": NOTHING, "silence": Score(1.0)}
            return Verdict({**scores, **silent})
        return Verdict(
            {
                **scores,
                "level_dbfs": Score(_decibels(np.mean(clip.samples**2, dtype=np.float64))),
                "clipped": Score(float(np.mean(np.abs(evidence.clip.samples) >= FULL_SCALE))),
                "silence": Score(_silence(clip.samples, clip.sample_rate)),
            }
        )


def _silence(samples: NDArray[np.float32], sample_rate: int) -> float:
    window = max(1, round(WINDOW_SECONDS * sample_rate))
    padded = np.pad(samples, (0, -len(samples) % window)).astype(np.float64)
    power = (padded.reshape(-1, window) ** 2).mean(axis=1)
    return float(np.mean(power < power.max() * 10 ** (-QUIET_DECIBELS / 10)))


def _decibels(power: float) -> float:
    return float(10 * np.log10(power))
