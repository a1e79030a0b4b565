"""Writes utterances as audio files, to listen to the training data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vall_e.atomic_write import make_folder
from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.codec.encode import decode
from vall_e.data.dataset.manifest import write_text
from vall_e.data.ingest.segments import read_part
from vall_e.data.inspect.stats import UtteranceInfo
from vall_e.errors import DataError, VallEError
from vall_e.interfaces.codec import Codec
from vall_e.interfaces.store import Stored


def write_sounds(
    dataset: Stored | None,
    items: Sequence[UtteranceInfo],
    output: Path,
    make_codec: Callable[[], Codec],
) -> list[tuple[str, str]]:
    """Write a wav and a txt file of each to `output`: decoded codes of `dataset`, or the recording.

    Returns the ids of those that cannot be read, with reasons. Raises `DataError` if the codec is
    not that of the dataset.
    """
    make_folder(output, error=DataError)
    sound = _recorded if dataset is None else _decoded(dataset, make_codec())
    failed: list[tuple[str, str]] = []
    for item, name in zip(items, _names(items), strict=True):
        try:
            clip = sound(item)
        except VallEError as exc:
            failed.append((item.id, exc.message))
            continue
        clip.write(output / f"{name}.wav")
        write_text(output / f"{name}.txt", item.text + "\n")
    return failed


def _names(items: Sequence[UtteranceInfo]) -> list[str]:
    """A unique file name for each: `a_b` for `a/b`, `a_b_2` if that is taken."""
    names: dict[str, None] = {}
    for item in items:
        plain = name = item.id.replace("/", "_")
        number = 1
        while name in names:
            number += 1
            name = f"{plain}_{number}"
        names[name] = None
    return list(names)


def _decoded(dataset: Stored, codec: Codec) -> Callable[[UtteranceInfo], Clip]:
    info = dataset.info
    if codec.identity != info.codec:
        raise DataError(
            f"{dataset.folder} has codes of {info.codec}, but the codec is {codec.identity}",
            hint="give the YAML file that it was made with: -c run.yaml",
        )
    entries = {entry.id: entry for entry in dataset.entries}

    def sound(item: UtteranceInfo) -> Clip:
        values = dataset.codes(entries[item.id]).astype(np.int16)
        return decode(Codes(values, info.codec, info.frame_rate, info.sample_rate), codec)

    return sound


def _recorded(item: UtteranceInfo) -> Clip:
    if item.path is None:
        raise DataError(f"{item.id} has no recording", hint="give one in the transcripts")
    return read_part(item.path, item.start, item.end)
