"""A folder of recordings and what is said in them. Torch-free.

Transcripts are those of a well-known corpus (`vall_e.data.ingest.known_corpora`), one table (tsv,
csv, json or jsonl with `path` and `text`, optionally `id`, `speaker` and `language`), the output of
a recogniser (`vall_e.data.ingest.transcribe`), or one `.txt` beside each recording.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from attrs import frozen

from vall_e.data.ingest.audio_suffixes import AUDIO
from vall_e.data.ingest.known_corpora import known_rows
from vall_e.data.ingest.segments import Mode, Part, parts_of
from vall_e.data.ingest.tables import COLUMNS, FORMATS, read_table
from vall_e.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path, PurePath

HEARD = ("heard.json", "whisper.json")
"""What recognisers wrote, read where there is no other table."""
NOISE = "noise"
"""A folder of this name, capitals or not, holds recordings in which nobody speaks."""
OURS = ("transcripts", "corpus")
"""Tables of these names are nobody else's, so they count before a layout that is known."""
NAMES = ("transcripts", "metadata", "corpus")


@frozen
class Recording:
    """An audio file that may or may not exist, and what the transcripts say about it.

    `text` is empty where there is none, `language` is None where nothing is said of it. `problem`
    says why it cannot be used, if that is known already, `unread` why its text cannot. `start` and
    `end`, in seconds, cut a part out of the file; it is all of it where `end` is None. A `url` is
    where the file really is; then `path` only says what it is called.
    """

    id: str
    path: Path
    text: str
    speaker: str
    language: str | None
    problem: str = ""
    unread: str = ""
    start: float = 0.0
    end: float | None = None
    url: str = ""

    @property
    def place(self) -> str:
        """What a user calls it: its URL, or its path."""
        return self.url or str(self.path)

    @property
    def is_noise(self) -> bool:
        """It is in a folder of noise, and says nothing."""
        return not self.text and _folder_of(self.path).lower() == NOISE


def find_recordings(
    folder: Path,
    *,
    transcripts: Path | None = None,
    speaker: str | None = None,
    slices: Mode = "auto",
) -> list[Recording]:
    """In the order of the table, or of the file names. `speaker` is that of all recordings.

    Else the speaker is the table's, else the folder that holds the file. `slices`: whether
    recordings whose transcripts have times are cut into what is said in one go.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder", hint="name the folder that holds the audio")
    own = transcripts or any((folder / (n + s)).is_file() for n in OURS for s in FORMATS)
    known = None if own else known_rows(folder)
    table = transcripts or (None if known else _table_in(folder))
    found = list(_found(folder, table, known, speaker, slices))
    if found:
        return found
    if table:
        raise DataError(f"{table} lists no recording", hint="give it a line for each, or delete it")
    raise DataError(
        f"{folder} holds no audio file", hint=f"name the folder that holds {', '.join(AUDIO[:5])}"
    )


def _found(
    folder: Path,
    table: Path | None,
    known: list[dict[str, str]] | None,
    speaker: str | None,
    slices: Mode,
) -> Iterator[Recording]:
    if known is not None:
        return _of_rows(known, folder, folder, speaker)
    if table is None:
        return _beside(folder, speaker)
    if table.suffix.lower() == ".json":
        heard = _heard(table)
        if heard is not None:
            return _cut(heard, table, folder, speaker, slices)
    return _listed(table, folder, speaker)


def _table_in(folder: Path) -> Path | None:
    paths = [folder / (name + suffix) for name in NAMES for suffix in FORMATS]
    paths = [path for path in paths if path.is_file()]
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise DataError(
            f"{folder} has several tables of transcripts: {names}",
            hint="say which with --transcripts",
        )
    heard = [folder / name for name in HEARD if (folder / name).is_file()]
    return next(iter([*paths, *heard]), None)


def _heard(table: Path) -> dict[str, Any] | None:
    """What a recogniser wrote of each file; None where the table is another one."""
    try:
        found = json.loads(table.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None  # told where it is read as a table
    return found if is_heard(found) else None


def is_heard(found: object) -> bool:
    """Whether this is of the form that `vall_e.data.ingest.transcribe` writes."""
    return isinstance(found, dict) and all(
        isinstance(row, dict) and isinstance(row.get("segments"), list) for row in found.values()
    )


def _cut(
    heard: dict[str, Any], table: Path, folder: Path, speaker: str | None, slices: Mode
) -> Iterator[Recording]:
    """Recordings, and parts of recordings: `ID_00000` and so on."""
    for name, row in heard.items():
        file = _file(name, table, folder)
        identity = name.rpartition(".")[0] or name
        for number, part in enumerate(_parts(row, slices, name, table)):
            told = f"{_folder_of(file)}/{part.speaker}" if part.speaker else _folder_of(file)
            yield Recording(
                id=identity if part.end is None else f"{identity}_{number:05d}",
                path=file,
                text=part.text,
                speaker=speaker or told,
                language=str(row.get("language") or "") or None,
                start=part.start,
                end=part.end,
                problem=part.problem,
            )


def _parts(row: dict[str, Any], slices: Mode, name: str, table: Path) -> list[Part]:
    try:
        return list(parts_of(row, slices))
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise DataError(
            f"{table}: a segment of {name} lacks its text, or its start and end in seconds",
            hint="hear it again: take it out of the file, then `vall-e data transcribe`",
        ) from exc


def _file(name: str, table: Path, folder: Path) -> Path:
    """Beside the table, or in the folder of the recordings."""
    file = table.parent / name
    return folder / name if not file.exists() and (folder / name).exists() else file


def _listed(table: Path, folder: Path, speaker: str | None) -> Iterator[Recording]:
    rows = read_table(table)
    if rows and not any(row["path"] for row in rows):
        raise DataError(
            f"{table} names no audio file",
            hint=f"give the table a column {' or '.join(COLUMNS['path'][:4])}",
        )
    return _of_rows(rows, table, folder, speaker)


def _of_rows(
    rows: Sequence[dict[str, str]], table: Path, folder: Path, speaker: str | None
) -> Iterator[Recording]:
    for number, row in enumerate(rows, start=1):
        path = row["path"]
        file = folder / path if table is folder else _file(path, table, folder)
        yield Recording(
            id=row.get("id") or path.rpartition(".")[0] or path or f"row {number}",
            path=file if path else table,
            text=row["text"],
            speaker=speaker or row.get("speaker") or _folder_of(file),
            language=row.get("language") or None,
            problem="" if path else f"row {number} of the table names no audio file",
        )


def _beside(folder: Path, speaker: str | None) -> Iterator[Recording]:
    for path in sorted(folder.rglob("*")):
        if not is_audio(path):
            continue
        text, unread = _transcript(_text_beside(path))
        yield Recording(
            id=path.relative_to(folder).with_suffix("").as_posix(),
            path=path,
            text=text,
            speaker=speaker or _folder_of(path),
            language=None,
            unread=unread,
        )


def is_audio(path: PurePath) -> bool:
    """By its name; what macOS leaves beside the files of other disks, `._1.wav`, is none."""
    return path.suffix.lower() in AUDIO and not path.name.startswith("._")


def _text_beside(recording: Path) -> Path:
    """Its transcript, whose suffix may have capitals."""
    usual = recording.with_suffix(".txt")
    others = (recording.with_suffix(suffix) for suffix in (".TXT", ".Txt"))
    return usual if usual.exists() else next((p for p in others if p.exists()), usual)


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
