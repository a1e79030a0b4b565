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

    `text` is empty where there is none, `language` is None where nothing is said of it.
    """

    id: str
    path: Path
    text: str
    speaker: str
    language: str | None


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
    for number, row in enumerate(_rows(table), start=1):
        path = _field(row, "path")
        if not path:
            raise DataError(
                f"{table}, row {number}, names no audio file",
                hint=f"give the table a column {' or '.join(COLUMNS['path'])}",
            )
        file = table.parent / path
        if not file.exists() and (folder / path).exists():
            file = folder / path
        yield Recording(
            id=_field(row, "id") or path.rpartition(".")[0] or path,
            path=file,
            text=_field(row, "text"),
            speaker=speaker or _field(row, "speaker") or file.parent.name,
            language=_field(row, "language") or None,
        )


def _beside(folder: Path, speaker: str | None) -> Iterator[Recording]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in AUDIO:
            continue
        text = path.with_suffix(".txt")
        yield Recording(
            id=path.relative_to(folder).with_suffix("").as_posix(),
            path=path,
            text=text.read_text(encoding="utf-8").strip() if text.is_file() else "",
            speaker=speaker or path.resolve().parent.name,
            language=None,
        )


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
