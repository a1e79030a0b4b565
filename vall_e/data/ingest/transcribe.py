"""Transcripts of recordings by a recognizer, as JSON. Torch-free.

    {"ann/1.wav": {"segments": [{"start": 0.1, "end": 2.5, "text": "...", "speaker": "...",
     "words": [{"word": "...", "start": 0.1, "end": 0.4}]}],
     "language": "en", "text": "...", "start": 0.1, "end": 2.5}}

Paths are relative to the folder of the recordings, times are in seconds.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from attrs import frozen

from vall_e.damaged_files import damage_as, parse_json
from vall_e.data.dataset.manifest import write_text
from vall_e.data.ingest.long_passages import short_passages
from vall_e.data.ingest.recordings import is_audio, is_transcribed
from vall_e.errors import DataError, VallEError
from vall_e.folder_lock import locked
from vall_e.interfaces.transcriber import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from vall_e.audio.clip import Clip

HEARD = "heard.json"
JOURNAL = ".part.jsonl"
HELD = ".held"


@frozen
class TranscriptionReport:
    """The results for the recordings; `failed` are paths, each with the reason."""

    done: int
    already: int
    failed: tuple[tuple[str, str], ...]


def to_json(transcript: Transcript) -> dict[str, Any]:
    segments = [
        {
            "start": passage.start,
            "end": passage.end,
            "text": passage.text,
            **({"speaker": passage.speaker} if passage.speaker else {}),
            "words": [{"word": w.text, "start": w.start, "end": w.end} for w in passage.words],
        }
        for whole in transcript.passages
        for passage in short_passages(whole)
    ]
    return {
        "segments": segments,
        "language": transcript.language,
        "text": transcript.text,
        "start": segments[0]["start"] if segments else 0.0,
        "end": segments[-1]["end"] if segments else 0.0,
    }


def recordings_in(folder: Path) -> list[str]:
    """All audio files, as sorted paths relative to `folder`."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if is_audio(path)]
    if not names:
        raise DataError(
            f"{folder} has no audio files", hint="give the folder that contains the audio"
        )
    return sorted(names)


def transcribe(
    folder: Path,
    names: Sequence[str],
    out: Path,
    hear: Callable[[Clip], Transcript],
    *,
    on_item: Callable[[str], None] = lambda name: None,
) -> TranscriptionReport:
    """Write the transcript by `hear` of each recording that `out` lacks; continues after a kill.

    Transcripts go to a journal next to `out` immediately, and to `out` at the end. A recording that
    fails is left out, and tried again next time. Raises `DataError` while another process writes
    to `out`.
    """
    held = out.with_name(out.name + HELD)
    with locked(held, error=DataError, name=out):
        found = _transcribe(folder, names, out, hear, on_item)
        shutil.rmtree(held, ignore_errors=True)
    return found


def _transcribe(
    folder: Path,
    names: Sequence[str],
    out: Path,
    hear: Callable[[Clip], Transcript],
    on_item: Callable[[str], None],
) -> TranscriptionReport:
    journal = out.with_name(out.name + JOURNAL)
    known = _read(out) | _journal(journal)
    todo = [name for name in names if name not in known]
    failed: list[tuple[str, str]] = []
    write_text(
        journal, "".join(_line(name, row) for name, row in known.items())
    )  # whole lines only
    with journal.open("a", encoding="utf-8") as file:
        for name in todo:
            try:
                known[name] = to_json(hear(_clip(folder / name)))
            except VallEError as exc:
                failed.append((name, exc.message))
            else:
                file.write(_line(name, known[name]))
                file.flush()
            on_item(name)
    whole = {name: known[name] for name in sorted(known)}
    write_text(out, json.dumps(whole, ensure_ascii=False, indent=1) + "\n")
    journal.unlink()
    return TranscriptionReport(len(todo) - len(failed), len(names) - len(todo), tuple(failed))


def _clip(path: Path) -> Clip:
    from vall_e.audio.clip import Clip

    return Clip.read(path).mono()


def _line(name: str, row: dict[str, Any]) -> str:
    return json.dumps([name, row], ensure_ascii=False) + "\n"


def _read(path: Path) -> dict[str, Any]:
    with damage_as(DataError, path, hint="delete it, or give another -o"):
        found = parse_json(path.read_bytes()) if path.exists() else {}
    if not is_transcribed(found):
        raise DataError(
            f"{path} was not written by `vall-e data transcribe`", hint="give another -o"
        )
    return found


def _journal(path: Path) -> dict[str, Any]:
    """Its complete lines; a kill can cut off the last."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    hint = "delete it; its recordings are then transcribed again"
    with damage_as(DataError, path, hint=hint):
        known = dict(parse_json(line) for line in lines if line.endswith(b"\n"))
        if not is_transcribed(known):
            raise ValueError("it has lines of another kind")
    return known
