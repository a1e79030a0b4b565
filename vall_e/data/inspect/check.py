"""Checks a dataset, or a folder of recordings, and reports every problem by item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from attrs import frozen

from vall_e.data.ingest.recordings import Recording, find_recordings
from vall_e.data.ingest.rules import repeated_ids, sound_problem, transcript_problem
from vall_e.data.ingest.segments import read_part
from vall_e.errors import VallEError
from vall_e.interfaces.store import Entry, Stored
from vall_e.text.unicode_form import canonical
from vall_e.text.vocabulary import Vocabulary, listed

SLACK_FRAMES = 2.0
"""Allowed difference, in frames, between an utterance's codes and its seconds."""


@frozen
class Problem:
    """`id` is the id of the utterance, or the path of the recording."""

    id: str
    reason: str


def validate(
    folder: Path,
    *,
    dataset: Stored | None = None,
    transcripts: Path | None = None,
    vocabulary: Vocabulary | None = None,
    on_item: Callable[[], None] = lambda: None,
) -> tuple[int, list[Problem]]:
    """The number of items, and the problems of each. Reads all codes, or all audio.

    `dataset` is the opened `folder`, unless it contains recordings. Raises `DataError` for a folder
    that cannot be opened at all.
    """
    if dataset is not None:
        checked = _checked(dataset, vocabulary)
        count = len(dataset.entries)
    else:
        recordings = find_recordings(folder, transcripts=transcripts)
        checked, count = map(_recording, repeated_ids(recordings)), len(recordings)
    problems: list[Problem] = []
    for found in checked:
        problems += found
        on_item()
    return count, problems


def _checked(dataset: Stored, vocabulary: Vocabulary | None) -> Iterator[list[Problem]]:
    found = (_entry(dataset, entry, vocabulary) for entry in dataset.entries)
    return _with_twins(found, [entry.id for entry in dataset.entries])


def _with_twins(found: Iterator[list[Problem]], ids: Sequence[str]) -> Iterator[list[Problem]]:
    """Each item's problems, including ids that are used twice."""
    counts = Counter(ids)
    for identity, problems in zip(ids, found, strict=True):
        twins = counts[identity]
        yield [*problems, *[Problem(identity, f"{twins} have this id")] * (twins > 1)]


def _entry(dataset: Stored, entry: Entry, vocabulary: Vocabulary | None) -> list[Problem]:
    info = dataset.info
    try:
        codes = dataset.codes(entry)
    except VallEError as exc:
        return [Problem(entry.id, exc.message)]
    reasons: list[str] = []
    if not entry.frames:
        reasons.append("it has no codes")
    elif codes.min() < 0 or codes.max() >= info.codebook_size:
        bad = int(np.count_nonzero((codes < 0) | (codes >= info.codebook_size)))
        reasons.append(f"{bad} of its codes are not from 0 to {info.codebook_size - 1}")
    missing = entry.seconds * info.frame_rate - entry.frames
    if abs(missing) > SLACK_FRAMES:
        reasons.append(
            f"{entry.seconds:g} s are {entry.seconds * info.frame_rate:.0f} frames, "
            f"but it has {entry.frames}"
        )
    if entry.text and not entry.phonemes:
        reasons.append("it has a text but no phonemes")
    unknown = vocabulary.look_up(canonical(entry.phonemes)).unknown if vocabulary else None
    if unknown:
        reasons.append(f"the vocabulary lacks {listed(unknown)}")
    return [Problem(entry.id, reason) for reason in reasons]


def _recording(known: tuple[Recording, str]) -> list[Problem]:
    recording, repeated = known
    if recording.problem:
        return [Problem(recording.id, recording.problem)]
    reasons = [repeated, transcript_problem(recording), _sound_problem(recording)]
    return [Problem(recording.id, reason) for reason in reasons if reason]


def _sound_problem(recording: Recording) -> str:
    try:
        clip = read_part(recording.path, recording.start, recording.end).mono()
    except VallEError as exc:
        return exc.message
    return sound_problem(clip)
