"""A folder of recordings and what is said in them. Torch-free.

Transcripts are one table (tsv, csv, json or jsonl with `path` and `text`, and if it likes `id`,
`speaker` and `language`), or one `.txt` beside each recording.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from attrs import frozen

from vall_e.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AUDIO = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".m4a", ".w64", ".caf")
NAMES = ("transcripts", "metadata", "corpus")
FORMATS = (".tsv", ".csv", ".jsonl", ".json")
COLUMNS = {
    "id": ("id",),
    "path": ("path", "file", "file_name", "audio"),
    "text": ("text", "transcript", "sentence"),
    "speaker": ("speaker", "speaker_id"),
    "language": ("language", "lang"),
}
"""What each column may be called; the first that is there counts."""


@frozen
class Recording:
    """An audio file that may or may not exist, and what the transcripts say about it.

    `text` is empty where there is none, `language` is None where nothing is said of it. `problem`
    says why it cannot be used, if that is known already.
    """

    id: str
    path: Path
    text: str
    speaker: str
    language: str | None
    problem: str = ""


def find_recordings(
    folder: Path, *, transcripts: Path | None = None, speaker: str | None = None
) -> list[Recording]:
    """In the order of the table, or of the file names. `speaker` is that of all recordings.

    Else the speaker is the table's, else the folder that holds the file.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder", hint="name the folder that holds the audio")
    table = transcripts or _table_in(folder)
    found = list(_listed(table, folder, speaker) if table else _beside(folder, speaker))
    if not found:
        where = f"{table} lists no recording" if table else f"{folder} holds no audio file"
        names = ", ".join(f"{name}.tsv" for name in NAMES)
        raise DataError(
            where, hint=f"put {names} there, a .txt beside each recording, or use --transcripts"
        )
    return found


def _table_in(folder: Path) -> Path | None:
    paths = [folder / (name + suffix) for name in NAMES for suffix in FORMATS]
    paths = [path for path in paths if path.is_file()]
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise DataError(
            f"{folder} has several tables of transcripts: {names}",
            hint="say which with --transcripts",
        )
    return paths[0] if paths else None


def _listed(table: Path, folder: Path, speaker: str | None) -> Iterator[Recording]:
    rows = _rows(table)
    if rows and not any(_field(row, "path") for row in rows):
        raise DataError(
            f"{table} names no audio file",
            hint=f"give the table a column {' or '.join(COLUMNS['path'])}",
        )
    for number, row in enumerate(rows, start=1):
        path = _field(row, "path")
        file = table.parent / path
        if not file.exists() and (folder / path).exists():
            file = folder / path
        yield Recording(
            id=_field(row, "id") or path.rpartition(".")[0] or path or f"row {number}",
            path=file if path else table,
            text=_field(row, "text"),
            speaker=speaker or _field(row, "speaker") or _folder_of(file),
            language=_field(row, "language") or None,
            problem="" if path else f"row {number} of the table names no audio file",
        )


def _beside(folder: Path, speaker: str | None) -> Iterator[Recording]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in AUDIO:
            continue
        text, problem = _transcript(path.with_suffix(".txt"))
        yield Recording(
            id=path.relative_to(folder).with_suffix("").as_posix(),
            path=path,
            text=text,
            speaker=speaker or _folder_of(path),
            language=None,
            problem=problem,
        )


def _transcript(path: Path) -> tuple[str, str]:
    """What is said, and what is wrong with the file. A missing file is no transcript."""
    try:
        return path.read_text(encoding="utf-8-sig").strip(), ""
    except FileNotFoundError:
        return "", ""
    except UnicodeDecodeError as exc:
        return "", f"its transcript {path.name} is not UTF-8 text (byte {exc.start})"
    except OSError as exc:
        return "", f"its transcript {path.name} cannot be read: {exc.strerror}"


def _folder_of(path: Path) -> str:
    """The real name of the folder that holds a file, also where the path is relative to it."""
    return path.parent.resolve().name


def _rows(table: Path) -> list[dict[str, Any]]:
    hint = "write it as UTF-8 tsv, csv, json (a list of objects) or jsonl"
    try:
        text = table.read_text(encoding="utf-8-sig")
        rows = _parse(text, table.suffix.lower())
    except FileNotFoundError:
        raise DataError(f"{table} does not exist", hint="check --transcripts") from None
    except (ValueError, csv.Error) as exc:
        raise DataError(f"{table} cannot be read: {exc}", hint=hint) from exc
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{table} is not a list of objects", hint=hint)
    return rows


def _parse(text: str, suffix: str) -> Any:
    if suffix == ".json":
        return json.loads(text)
    if suffix == ".jsonl":
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    if suffix == ".csv":
        return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    if suffix == ".tsv":
        # Quotation marks in a tsv are part of what is said.
        return list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    raise ValueError(f"{suffix or 'no suffix'} is not one of {', '.join(FORMATS)}")


def _field(row: dict[str, Any], name: str) -> str:
    for column in COLUMNS[name]:
        if row.get(column) is not None:
            return str(row[column]).strip()
    return ""
