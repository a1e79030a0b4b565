"""Loudness of parts of a recording, and of all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve

from vall_e.audio.power import window_power

if TYPE_CHECKING:
    from jaxtyping import Float32, Float64

    from vall_e.audio.clip import Clip

WINDOW_SECONDS = 0.05
GATE_DB = 20.0
"""A window this far below the loudest one counts as a pause."""


BLOCK_SECONDS = 0.4
"""Block length of BS.1770; each block begins a quarter after the previous one."""
GATE_LUFS = -70.0
GATE_BELOW = 10.0
"""Blocks this far below the mean do not count."""


def lufs(samples: Float32[np.ndarray, " s"], sample_rate: int) -> float:
    """Loudness of a mono recording by ITU-R BS.1770-4; -70 if it is silent, or very short.

    Each block is weighted by the filters' response to its spectrum, instead of running the filters;
    the difference is some hundredths of a decibel.
    """
    block, step = round(BLOCK_SECONDS * sample_rate), round(BLOCK_SECONDS / 4 * sample_rate)
    if len(samples) < block:
        samples = np.pad(samples, (0, block - len(samples)))
    starts = range(0, len(samples) - block + 1, step)
    weights = _k_weights(block, sample_rate)
    power = np.array([_weighted(samples[start : start + block], weights) for start in starts])
    power = power[_in_lufs(power) > GATE_LUFS]
    if not power.size:
        return GATE_LUFS
    gate = _in_lufs(power.mean()) - GATE_BELOW
    return float(_in_lufs(power[_in_lufs(power) > gate].mean()))


def _weighted(block: Float32[np.ndarray, " s"], weights: Float64[np.ndarray, " f"]) -> float:
    """Mean square of a block by its spectrum (Parseval)."""
    spectrum = np.square(np.abs(np.fft.rfft(block.astype(np.float64))))
    spectrum[1 : (len(block) + 1) // 2] *= 2
    return float((spectrum * weights).sum() / len(block) ** 2)


def _in_lufs(power: Float64[np.ndarray, "*n"] | float) -> Float64[np.ndarray, "*n"]:
    return np.asarray(-0.691 + 10 * np.log10(np.asarray(power) + 1e-30))


def _k_weights(block: int, rate: int) -> Float64[np.ndarray, " f"]:
    """Squared response of the head's shelf and of the high pass of BS.1770, at any rate.

    The analogue filters behind the tables of the standard: Brecht De Man, 2014, "Evaluation of
    implementations of the EBU R128 loudness measurement".
    """
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(block))
    gain = 10 ** (3.99984385397 / 20)
    middle = gain**0.499666774155
    k, q = np.tan(np.pi * 1681.9744509555319 / rate), 0.7071752369554193
    shelf = (
        (gain + middle * k / q + k * k)
        + 2 * (k * k - gain) * z
        + (gain - middle * k / q + k * k) * z**2
    ) / ((1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z**2)
    k, q = np.tan(np.pi * 38.13547087613982 / rate), 0.5003270373253953
    below = 1 + k / q + k * k
    high = (1 - z) ** 2 / (1 + 2 * (k * k - 1) / below * z + (1 - k / q + k * k) / below * z**2)
    return np.asarray(np.square(np.abs(shelf * high)))


def level_of(clip: Clip) -> float:
    """RMS of everything but pauses, in dB of full scale; about -200 for silence."""
    power = window_power(clip.samples, round(WINDOW_SECONDS * clip.sample_rate))
    loud = power[power >= power.max(initial=0.0) * 10 ** (-GATE_DB / 10)]
    return float(10 * np.log10((loud.mean() if loud.size else 0.0) + 1e-20))


def within(clip: Clip, decibels: tuple[float, float]) -> Clip:
    """The clip unchanged between these levels, otherwise at the nearer of them."""
    level = level_of(clip)
    wanted = min(max(level, decibels[0]), decibels[1])
    return clip if wanted == level else levelled(clip, wanted)


def levelled(clip: Clip, decibels: float) -> Clip:
    """The clip at that level, or as near as its peak allows without clipping."""
    peak = float(np.abs(clip.samples).max(initial=0.0))
    if not peak:
        return clip
    gain = min(10 ** ((decibels - level_of(clip)) / 20), 1 / peak)
    return evolve(clip, samples=(clip.samples * np.float32(gain)).clip(-1, 1))
