"""A dataset's metadata as JSON, one file for each speaker. Torch-free."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vall_e.atomic_write import make_folder
from vall_e.data.dataset.manifest import Entry, write_text
from vall_e.data.dataset.similar_file import read_similar
from vall_e.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vall_e.interfaces.store import Stored


def write_metadata(dataset: Stored, output: Path) -> int:
    """Write `{id: {text, phonemes, language, duration, similar}}` to each `SPEAKER.json`.

    Returns the number of files. `similar` has positions in the same file, the most similar first.
    Raises `DataError`
    for a speaker whose name leads out of `output`.
    """
    speakers: dict[str, list[Entry]] = {}
    for entry in dataset.entries:
        speakers.setdefault(entry.speaker, []).append(entry)
    similar = read_similar(dataset.folder)
    for speaker, entries in speakers.items():
        path = _inside(output, speaker)
        make_folder(path.parent, error=DataError)
        write_text(path, json.dumps(_facts(entries, similar), ensure_ascii=False, indent=1) + "\n")
    return len(speakers)


def _inside(output: Path, speaker: str) -> Path:
    path = output / f"{speaker}.json"
    if not path.resolve().is_relative_to(output.resolve()):
        raise DataError(
            f"the file of speaker {speaker!r} would be outside of {output}",
            hint="give the speaker another name in the transcripts, and process them again",
        )
    return path


def _facts(
    entries: Sequence[Entry], similar: Mapping[str, Sequence[tuple[str, float]]]
) -> dict[str, Any]:
    places = {entry.id: place for place, entry in enumerate(entries)}
    facts: dict[str, Any] = {}
    for entry in entries:
        facts[entry.id] = {
            "text": entry.text,
            "phonemes": entry.phonemes,
            "language": entry.language,
            "duration": entry.seconds,
        }
        if entry.id in similar:
            near = [places[other] for other, _ in similar[entry.id] if other in places]
            facts[entry.id]["similar"] = near
    return facts
