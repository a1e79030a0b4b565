"""Parts of recordings, from transcripts with times. Torch-free."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from vall_e.audio.audio_file import open_audio
from vall_e.audio.clip import Clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BEFORE, AFTER = 0.05, 0.5
"""Seconds added before the first word and after the last word of a part."""
LONG = 15.0
"""Seconds from which a recording is split by default."""
Mode = Literal["auto", "always", "never"]


@frozen
class Part:
    """From `start` to `end`, in seconds; the whole recording if `end` is None."""

    text: str
    speaker: str
    start: float = 0.0
    end: float | None = None
    problem: str = ""
    """Why it cannot be used."""


def parts_of(heard: Mapping[str, Any], mode: Mode) -> Iterator[Part]:
    """The parts of a transcribed recording: the whole recording, or one for each segment.

    `auto` splits it if it is longer than 15 s, or has several speakers. A part never extends into
    the next segment.
    """
    segments = [one for one in heard["segments"] if _text(one["text"])]
    speakers = {_text(one.get("speaker", "")) for one in segments}
    long = max((float(one["end"]) for one in segments), default=0.0) > LONG
    if mode == "never" or (mode == "auto" and not long and len(speakers) < 2):
        yield Part(_text(heard.get("text", "")), next(iter(sorted(speakers)), ""))
        return
    nexts = [float(one["start"]) for one in segments[1:]]
    for one, limit in zip(segments, [*nexts, float("inf")], strict=True):
        first, last = float(one["start"]), float(one["end"])
        yield Part(
            text=_text(one["text"]),
            speaker=_text(one.get("speaker", "")),
            start=max(0.0, first - BEFORE),
            end=max(last, min(last + AFTER, limit)),
            problem="" if -math.inf < first < last < math.inf else "its end precedes its start",
        )


def _text(value: object) -> str:
    """`TypeError` for JSON that is not text, instead of using the text of a Python object."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got {value!r}")
    return value.strip()


def read_part(path: Path, start: float, end: float | None) -> Clip:
    """The audio from `start` to `end`, in seconds, without reading the rest; all, if `end` is None.

    Raises `AudioError` as `Clip.read` does.
    """
    if end is None:
        return Clip.read(path)
    with open_audio(path) as file:
        rate = file.sample_rate
        file.skip(round(start * rate))
        samples = file.read(round((end - start) * rate))
    name = f"{path} ({start:.2f} s to {end:.2f} s)"
    return Clip(samples[:, 0] if samples.shape[1] == 1 else samples.T, rate, name=name)
