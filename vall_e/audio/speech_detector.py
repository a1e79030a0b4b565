"""Whether a recording may be speech, by its periodicity and level changes, without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vall_e.audio.clip import Clip

RATE = 16_000
SECONDS = 3.0
"""This much of a recording is analyzed."""
FRAME, HOP = 640, 320
SPECTRUM = 2048
PITCH = slice(RATE // 400, RATE // 70)
"""Lags of a voice's pitch, in samples."""
PERIODIC = 0.6
"""A frame with at least this autocorrelation counts as voiced."""
QUIET_DB = 30.0
"""A frame this far below the loudest one counts as a pause."""
LEAST_VOICED = 0.15
"""Share of voiced frames; a whisper has less."""
LEAST_CHANGE_DB = 3.0
"""Standard deviation of the loudness of frames, without pauses."""

NARROW_HERTZ = 200.0
MOST_NARROW = 0.95
"""Share of the power in the strongest hertz of this width; a tone has all of it there."""


def may_be_speech(clip: Clip) -> bool:
    """False for steady noise, most other noise, tones and chords; some noise (a dog, a saw) passes.

    A voice has a pitch, and its loudness changes with its syllables. Measured: of 732 recordings of
    people (read, some noisy), 1 was rejected; of 65 noise clips of ESC-10, 45 were rejected. In
    200 Hz, 125 recordings of people have at most 0.87 of their power.
    """
    samples = clip.mono().resample(RATE).samples[: round(SECONDS * RATE)].astype(np.float64)
    if len(samples) < FRAME:
        return True  # too short to decide
    frames = sliding_window_view(samples, FRAME)[::HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = (frames**2).mean(axis=1)
    loud = power > power.max() * 10 ** (-QUIET_DB / 10)
    if not loud.any():
        return False
    voiced = (_periodicity(frames) > PERIODIC) & loud
    change = np.std(10 * np.log10(power[loud]))
    rich = _narrow(frames[loud]) <= MOST_NARROW
    return bool(voiced.mean() >= LEAST_VOICED and change >= LEAST_CHANGE_DB and rich)


def _narrow(frames: NDArray[np.float64]) -> float:
    """Share of the power in the strongest `NARROW_HERTZ`, wherever they are."""
    spectra = np.abs(np.fft.rfft(frames * np.hanning(FRAME), SPECTRUM, axis=1)) ** 2
    power = np.sort(spectra.sum(axis=0))[::-1]
    return float(power[: round(NARROW_HERTZ * SPECTRUM / RATE)].sum() / power.sum())


def _periodicity(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest autocorrelation of each frame, at the lag of a pitch."""
    window = np.hanning(FRAME)
    own = _autocorrelation(frames * window)
    shape = _autocorrelation(window[None])  # the effect of the window alone
    energy = np.maximum(own[:, :1], 1e-12)
    periodicity: NDArray[np.float64] = (own / energy / (shape / shape[:, :1]))[:, PITCH].max(axis=1)
    return periodicity


def _autocorrelation(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(frames, SPECTRUM, axis=1)
    return np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, : PITCH.stop]
