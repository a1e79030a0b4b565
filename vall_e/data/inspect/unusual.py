"""Recordings that differ so much from the others that text, cut or level must be wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

import attrs
import numpy as np

from vall_e.data.ingest.recordings import Recording
from vall_e.data.ingest.segments import read_part
from vall_e.data.inspect.stats import FEW, Survey, items_of
from vall_e.errors import VallEError

DECIBELS = 15.0
"""A level is unusual if it differs from the speaker's median by more than this."""


def without_unusual(
    recordings: Sequence[Recording], *, on_item: Callable[[], None] = lambda: None
) -> list[Recording]:
    """All of them; those that are unusual have that as their `problem`. Reads all audio.

    Unusual are those that `vall-e data stats` lists, by their symbols per second, and those much
    louder or quieter than the others of their speaker.
    """
    paces = Survey([one for one in items_of(recordings) if not one.problem]).outliers()
    reasons = {one.item.id: one.reason for one in paces}
    for identity, reason in _levels(recordings, on_item).items():
        reasons.setdefault(identity, reason)
    return [
        attrs.evolve(one, problem=f"unusual: {reasons[one.id]}")
        if one.id in reasons and not one.problem
        else one
        for one in recordings
    ]


def _levels(recordings: Sequence[Recording], on_item: Callable[[], None]) -> dict[str, str]:
    speakers: dict[str, dict[str, float]] = {}
    for one in recordings:
        level = _decibels(one)
        if level is not None:
            speakers.setdefault(one.speaker, {})[one.id] = level
        on_item()
    found: dict[str, str] = {}
    for levels in speakers.values():
        middle = median(levels.values())
        for identity, level in levels.items():
            if len(levels) >= FEW and abs(level - middle) > DECIBELS:
                found[identity] = f"{level:.0f} dBFS, the speaker's median is {middle:.0f}"
    return found


def _decibels(recording: Recording) -> float | None:
    """The root mean square; None for what cannot be read, or is silent: processing says so."""
    if recording.problem:
        return None
    try:
        samples = read_part(recording.path, recording.start, recording.end).mono().samples
    except VallEError:
        return None
    power = float(np.mean(samples.astype(np.float64) ** 2)) if samples.size else 0.0
    return 10 * float(np.log10(power)) if power > 0 else None
