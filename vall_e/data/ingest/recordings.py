"""A folder of recordings and their transcripts. Torch-free.

Transcripts are those of a well-known corpus (`vall_e.data.ingest.known_corpora`), one table (tsv,
csv, json or jsonl with `path` and `text`, optionally `id`, `speaker` and `language`), the output of
a recognizer (`vall_e.data.ingest.transcribe`), or one `.txt` file next to each recording.
"""

from __future__ import annotations

import errno
import logging
import os
from typing import TYPE_CHECKING, Any

from attrs import frozen

from vall_e.damaged_files import parse_json
from vall_e.data.ingest.audio_suffixes import AUDIO
from vall_e.data.ingest.known_corpora import known_rows
from vall_e.data.ingest.segments import Mode, Part, parts_of
from vall_e.data.ingest.tables import COLUMNS, FORMATS, read_table
from vall_e.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path, PurePath

HEARD = ("heard.json", "whisper.json")
"""Output of recognizers, used if there is no other table."""
NOISE = "noise"
"""A folder with this name, in any case, contains recordings without speech."""
OURS = ("transcripts", "corpus")
"""Tables with these names are specific to us, so they take precedence over known layouts."""
NAMES = ("transcripts", "metadata", "corpus")


log = logging.getLogger(__name__)


@frozen
class Recording:
    """An audio file that may or may not exist, and its transcript.

    `text` is empty if there is none, `language` is None if unknown. `problem` is the reason why it
    cannot be used, if already known, `unread` the reason why its text cannot be read. `start` and
    `end`, in seconds, select a part of the file; it is the whole file if `end` is None. A `url` is
    the real location of the file; then `path` is only its name.
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
        """Its name for users: its URL, or its path."""
        return self.url or str(self.path)

    @property
    def is_noise(self) -> bool:
        """It is in a folder of noise, and has no text."""
        return not self.text and _folder_of(self.path).lower() == NOISE


def find_recordings(
    folder: Path,
    *,
    transcripts: Path | None = None,
    speaker: str | None = None,
    slices: Mode = "auto",
) -> list[Recording]:
    """In the order of the table, or of the file names. `speaker` is that of all recordings.

    Otherwise the speaker is from the table, else the file's folder. `slices`: whether recordings
    whose transcripts have times are split into their segments.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder", hint="give the folder that contains the audio")
    own = transcripts or any((folder / (n + s)).is_file() for n in OURS for s in FORMATS)
    known = None if own else known_rows(folder)
    table = transcripts or (None if known else _table_in(folder))
    found = list(_found(folder, table, known, speaker, slices))
    if found:
        return found
    if table:
        raise DataError(f"{table} lists no recordings", hint="add a line for each, or delete it")
    raise DataError(
        f"{folder} has no audio files", hint=f"give a folder with {', '.join(AUDIO[:5])} files"
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
        transcripts = _transcripts_in(table)
        if transcripts is not None:
            return _cut(transcripts, table, folder, speaker, slices)
    return _listed(table, folder, speaker)


def _table_in(folder: Path) -> Path | None:
    paths = [folder / (name + suffix) for name in NAMES for suffix in FORMATS]
    paths = [path for path in paths if path.is_file()]
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise DataError(
            f"{folder} has several tables of transcripts: {names}",
            hint="choose one with --transcripts",
        )
    heard = [folder / name for name in HEARD if (folder / name).is_file()]
    return next(iter([*paths, *heard]), None)


def _transcripts_in(table: Path) -> dict[str, Any] | None:
    """The output of a recognizer for each file; None if the table has another format."""
    try:
        found = parse_json(table.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None  # reported when it is read as a table
    return found if is_transcribed(found) else None


def is_transcribed(found: object) -> bool:
    """Whether this has the format written by `vall_e.data.ingest.transcribe`."""
    return isinstance(found, dict) and all(
        isinstance(row, dict) and isinstance(row.get("segments"), list) for row in found.values()
    )


def _cut(
    heard: dict[str, Any], table: Path, folder: Path, speaker: str | None, slices: Mode
) -> Iterator[Recording]:
    """Recordings, or parts of recordings: `ID_00000` and so on."""
    for name, row in heard.items():
        if problem := _path_problem(name):
            raise DataError(f"{table}: {problem}", hint="delete its entry")
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
            hint="delete its entry, then transcribe it again with `vall-e data transcribe`",
        ) from exc


def _path_problem(path: str) -> str:
    """Why this cannot be the path of a file; empty if it can."""
    try:
        os.stat(path)
    except OSError as exc:
        return f"{path[:40]!r}... is too long" if exc.errno == errno.ENAMETOOLONG else ""
    except ValueError as exc:  # a null character, or half a character
        return f"{path[:40]!r} cannot be a path: {exc}"
    return ""


def _file(name: str, table: Path, folder: Path) -> Path:
    """Next to the table, or in the folder of the recordings."""
    file = table.parent / name
    return folder / name if not file.exists() and (folder / name).exists() else file


def _listed(table: Path, folder: Path, speaker: str | None) -> Iterator[Recording]:
    rows = read_table(table)
    if rows and not any(row["path"] for row in rows):
        raise DataError(
            f"{table} names no audio files",
            hint=f"add a column {' or '.join(COLUMNS['path'][:4])} to the table",
        )
    return _of_rows(rows, table, folder, speaker)


def _of_rows(
    rows: Sequence[dict[str, str]], table: Path, folder: Path, speaker: str | None
) -> Iterator[Recording]:
    for number, row in enumerate(rows, start=1):
        path, problem = row["path"], _path_problem(row["path"])
        if problem:
            path, problem = "", f"row {number} of the table: {problem}"
        file = folder / path if table is folder else _file(path, table, folder)
        yield Recording(
            id=row.get("id") or path.rpartition(".")[0] or path or f"row {number}",
            path=file if path else table,
            text=row["text"],
            speaker=speaker or row.get("speaker") or _folder_of(file),
            language=row.get("language") or None,
            problem="" if path else problem or f"row {number} of the table names no audio file",
        )


def _beside(folder: Path, speaker: str | None) -> Iterator[Recording]:
    paths = [path for path in sorted(folder.rglob("*")) if not path.name.startswith("._")]
    recorded = {path.with_suffix("") for path in paths if is_audio(path)}
    texts = [path for path in paths if path.suffix.lower() == ".txt"]
    if alone := [path for path in texts if path.with_suffix("") not in recorded]:
        listed = ", ".join(path.relative_to(folder).as_posix() for path in alone[:5])
        more = f" and {len(alone) - 5} more" if len(alone) > 5 else ""
        log.warning("%s: texts without a recording beside them: %s%s", folder, listed, more)
    for path in filter(is_audio, paths):
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
    """Recognized by its name; files that macOS adds, such as `._1.wav`, are ignored."""
    return path.suffix.lower() in AUDIO and not path.name.startswith("._")


def _text_beside(recording: Path) -> Path:
    """Its transcript, whose suffix may be in capitals."""
    usual = recording.with_suffix(".txt")
    others = (recording.with_suffix(suffix) for suffix in (".TXT", ".Txt"))
    return usual if usual.exists() else next((p for p in others if p.exists()), usual)


def _transcript(path: Path) -> tuple[str, str]:
    """Its text, and any problem with the file. A missing file means no transcript."""
    try:
        return path.read_text(encoding="utf-8-sig").strip(), ""
    except FileNotFoundError:
        return "", ""
    except UnicodeDecodeError as exc:
        return "", f"its transcript {path.name} is not UTF-8 text (byte {exc.start})"
    except OSError as exc:
        return "", f"its transcript {path.name} cannot be read: {exc.strerror}"


def _folder_of(path: Path) -> str:
    """The real name of the folder that contains a file, even if the path is relative to it."""
    return path.parent.resolve().name
