"""What is wrong with a recording: one list of rules for processing, validation and statistics.

Rules need more or less of a recording: its transcript, its length, or its samples. Each command
applies those whose part it reads. Torch-free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vall_e.errors import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vall_e.audio.clip import Clip
    from vall_e.data.ingest.recordings import Recording

MIN_SECONDS = 0.2
"""Shorter than a syllable: nothing to learn from."""
MAX_SECONDS = 60.0


def transcript_problem(recording: Recording, *, voices_only: bool = False) -> str:
    """What its transcript lacks; empty: nothing. `voices_only`: no text is needed."""
    if recording.problem:
        return recording.problem
    if recording.text or recording.is_noise or voices_only:
        return ""
    return recording.unread or "it has no transcript"


def length_problem(name: str, seconds: float, *, max_seconds: float = MAX_SECONDS) -> str:
    """Whether it is too short or too long; empty: neither."""
    if seconds < MIN_SECONDS:
        return f"{name} is too short: {seconds:.2f} s, at least {MIN_SECONDS:g} s are needed"
    if seconds > max_seconds:
        return f"{name} is too long: {seconds:.2f} s, at most {max_seconds:g} s are allowed"
    return ""


def sound_problem(clip: Clip, *, max_seconds: float = MAX_SECONDS) -> str:
    """What is wrong with its samples, including its length; empty: nothing."""
    try:
        clip.check()
    except AudioError as exc:
        return exc.message
    return length_problem(clip.name, clip.seconds, max_seconds=max_seconds)


def repeated_ids(recordings: Iterable[Recording]) -> Iterator[tuple[Recording, str]]:
    """Each recording, and what is wrong if an earlier one has its id."""
    seen: set[str] = set()
    for one in recordings:
        yield one, f"its id {one.id!r} is already taken" if one.id in seen else ""
        seen.add(one.id)
