"""Silence around and between clips: trim it, add it, fade into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve

from vall_e.audio.loudness import window_power
from vall_e.errors import AudioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vall_e.audio.clip import Clip

WINDOW_SECONDS = 0.02


def trim(clip: Clip, *, below_db: float = -40.0, keep_seconds: float = 0.05) -> Clip:
    """Without the ends that are `below_db` or more under the loudest window, but for a little.

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


def fade(clip: Clip, seconds: float = 0.005) -> Clip:
    """Faded in and out linearly, so that no click is heard at its ends."""
    length = min(_samples(seconds, clip), clip.samples.shape[-1] // 2)
    if length == 0:
        return clip
    ramp = (np.arange(length, dtype=np.float32) + 0.5) / length
    samples = clip.samples.copy()
    samples[..., :length] *= ramp
    samples[..., -length:] *= ramp[::-1]
    return evolve(clip, samples=samples)


def join(clips: Sequence[Clip], *, pause_seconds: float = 0.0) -> Clip:
    """One after the other, with silence between. Raises `AudioError` if they differ in kind."""
    if not clips:
        raise AudioError("there are no clips to join", hint="give at least one")
    first = clips[0]
    for clip in clips[1:]:
        if (clip.sample_rate, clip.channels) != (first.sample_rate, first.channels):
            raise AudioError(
                f"{clip.name} has {clip.channels} channels at {clip.sample_rate} Hz, "
                f"{first.name} has {first.channels} at {first.sample_rate} Hz",
                hint="make them alike with Clip.mono and Clip.resample",
            )
    shape = (*first.samples.shape[:-1], _samples(pause_seconds, first))
    pause = np.zeros(shape, np.float32)
    parts = [part for clip in clips for part in (clip.samples, pause)]
    return evolve(first, samples=np.concatenate(parts[:-1], axis=-1))


def _samples(seconds: float, clip: Clip) -> int:
    return round(seconds * clip.sample_rate)
