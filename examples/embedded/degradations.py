"""Recordings as they occur in practice: short, noisy, clipped, quiet, stereo, or no speech."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from vall_e.audio.clip import Clip
from vall_e.audio.silence import trim

Spoiling = Callable[[Clip], Clip]
Samples = NDArray[np.float32]

SECONDS = (0.3, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0)
USUAL_SECONDS = 3.0
NOISE_DB = (10, 5, 0)


def spoilings(noise: Clip) -> Iterator[tuple[str, Spoiling]]:
    """Each with its description. A prompt lasts 3 s, unless its length is being tested."""
    for seconds in SECONDS:
        yield f"{seconds:g} s", partial(lasting, seconds=seconds)
    for decibels in NOISE_DB:
        yield f"noise at {decibels} dB", partial(_noisy, noise=noise, decibels=decibels)
    yield "cut within words", cut_within_words
    yield "clipped", lambda clip: _changed(clip, (12 * _usual(clip)).clip(-1, 1))
    yield "40 dB softer", lambda clip: _changed(clip, _usual(clip) / 100)
    yield "70 dB softer", lambda clip: _changed(clip, _usual(clip) / 3162)
    yield "8 kHz", lambda clip: lasting(clip, USUAL_SECONDS).resample(8000)
    yield "offset by a constant", lambda clip: _changed(clip, (_usual(clip) + 0.2).clip(-1, 1))
    yield "after 4 s of silence", lambda clip: _after_silence(clip, 4.0)
    yield "stereo, one side silent", lambda clip: _stereo(clip, 0.0)
    yield "stereo, the sides opposed", lambda clip: _stereo(clip, -1.0)
    yield "silence", lambda clip: _changed(clip, 0 * _usual(clip))
    yield "noise alone", lambda clip: lasting(noise, USUAL_SECONDS)
    yield "a tone", partial(_tones, pitches=(440.0,))
    yield "a chord", partial(_tones, pitches=(220.0, 277.2, 329.6, 440.0))


def white_noise(sample_rate: int, seed: int) -> Clip:
    """A substitute for a recording: 3 seconds of hiss."""
    drawn = np.random.default_rng(seed).standard_normal(round(USUAL_SECONDS * sample_rate))
    return Clip((0.1 * drawn).clip(-1, 1).astype(np.float32), sample_rate, name="white noise")


def lasting(clip: Clip, seconds: float) -> Clip:
    """`seconds` from its first sound on; recordings that are too short are repeated."""
    clip = trim(clip)
    return _changed(clip, np.resize(clip.samples, round(seconds * clip.sample_rate)))


def cut_within_words(clip: Clip) -> Clip:
    """Two seconds or so that begin and end at the loudest moments of its first and last second."""
    samples, second = _usual(clip), clip.sample_rate
    loud = np.convolve(samples**2, np.ones(second // 50), "same")
    first, last = int(loud[:second].argmax()), len(samples) - second + int(loud[-second:].argmax())
    return _changed(clip, samples[first:last])


def _usual(clip: Clip) -> Samples:
    return lasting(clip, USUAL_SECONDS).samples


def _noisy(clip: Clip, noise: Clip, decibels: float) -> Clip:
    speech = _usual(clip)
    other = np.resize(noise.resample(clip.sample_rate).samples, len(speech))
    ratio = np.sqrt(np.mean(speech**2) / max(1e-12, float(np.mean(other**2))))
    mixed = speech + other * ratio * 10 ** (-decibels / 20)
    return _changed(clip, mixed / max(1.0, float(np.abs(mixed).max())))


def _after_silence(clip: Clip, seconds: float) -> Clip:
    before = np.zeros(round(seconds * clip.sample_rate), np.float32)
    return _changed(clip, np.concatenate([before, _usual(clip)]))


def _stereo(clip: Clip, right: float) -> Clip:
    return _changed(clip, np.stack([_usual(clip), right * _usual(clip)]))


def _tones(clip: Clip, pitches: tuple[float, ...]) -> Clip:
    time = np.arange(round(USUAL_SECONDS * clip.sample_rate)) / clip.sample_rate
    swell = 0.6 + 0.4 * np.cos(2 * np.pi * 2 * time)
    waves = sum(np.sin(2 * np.pi * pitch * time) for pitch in pitches)
    return _changed(clip, 0.2 * swell * waves)


def _changed(clip: Clip, samples: NDArray[np.floating]) -> Clip:
    return evolve(clip, samples=np.asarray(samples, np.float32))
