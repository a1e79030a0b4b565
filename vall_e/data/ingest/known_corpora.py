"""Folders of well-known corpora as table rows: `path`, `text`, `speaker`, ... Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vall_e.damaged_files import damage_as, parse_json
from vall_e.data.ingest.bar_tables import bar_rows
from vall_e.data.ingest.tables import delimited_rows, header_delimiter, plain_cell
from vall_e.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TableRow = dict[str, str]
COMMON_VOICE = ("validated.tsv", "train.tsv", "dev.tsv", "test.tsv")
VCTK = (("wav48_silence_trimmed", "_mic1.flac"), ("wav48", ".wav"))
"""Its audio folders, and the endings of the files in them."""


def known_rows(folder: Path) -> list[TableRow] | None:
    """The rows of the first layout that the folder matches, None if it matches none.

    Paths are relative to `folder`; rows are returned even if their recording is missing.
    """
    for layout in LAYOUTS:
        rows = list(layout(folder))
        if rows:
            return rows
    return None


def lj_speech(folder: Path) -> Iterator[TableRow]:
    """`wavs/ID.wav`, and ID|text|normalized text on each line of `metadata.csv`."""
    table = folder / "metadata.csv"
    if not table.is_file() or not (folder / "wavs").is_dir():
        return
    lines = _text(table)
    if "|" not in lines.split("\n", 1)[0] or header_delimiter(lines) is not None:
        return  # a table with other columns
    for _, row in bar_rows(lines, table):
        yield row


def libri_speech(folder: Path) -> Iterator[TableRow]:
    """`SPEAKER/CHAPTER/ID.flac`, and the chapter's texts, in capitals, in its `.trans.txt`."""
    for table in sorted(folder.rglob("*.trans.txt")):
        for line in filter(str.strip, _text(table).split("\n")):
            identity, _, text = line.partition(" ")
            path = _from(folder, table.with_name(f"{identity}.flac"))
            speaker = identity.partition("-")[0]
            yield {"id": identity, "path": path, "text": text.lower(), "speaker": speaker}


def libri_tts(folder: Path) -> Iterator[TableRow]:
    """`SPEAKER/CHAPTER/ID.wav` with `ID.normalized.txt`."""
    for text in sorted(folder.rglob("*.normalized.txt")):
        identity = text.name.removesuffix(".normalized.txt")
        path = _from(folder, text.with_name(f"{identity}.wav"))
        yield {"id": identity, "path": path, "text": _text(text), "speaker": identity.split("_")[0]}


def vctk(folder: Path) -> Iterator[TableRow]:
    """`txt/SPEAKER/ID.txt`, and audio in `wav48` or, of the first microphone, in a newer folder."""
    sounds = [(folder / name, suffix) for name, suffix in VCTK if (folder / name).is_dir()]
    if not sounds:
        return
    root, suffix = sounds[0]
    for text in sorted((folder / "txt").rglob("*.txt")):
        speaker = text.parent.name
        path = _from(folder, root / speaker / f"{text.stem}{suffix}")
        yield {"id": text.stem, "path": path, "text": _text(text), "speaker": speaker}


def common_voice(folder: Path) -> Iterator[TableRow]:
    """`clips/`, next to `validated.tsv` or another table, for one language."""
    tables = [folder / name for name in COMMON_VOICE if (folder / name).is_file()]
    if not tables or not (folder / "clips").is_dir():
        return
    header, rows = delimited_rows(_text(tables[0]), "\t", tables[0])
    if not {"path", "sentence"} <= set(header):
        return  # a table with other columns
    for _, row in rows:
        yield {
            "path": f"clips/{row['path']}" if row.get("path") else "",
            "text": row.get("sentence", ""),
            "speaker": row.get("client_id", ""),
            "language": row.get("locale", ""),
        }


def emilia(folder: Path) -> Iterator[TableRow]:
    """`ID.mp3`, next to `ID.json` with text, speaker and language."""
    for path in sorted(folder.rglob("*.mp3")):
        beside = path.with_suffix(".json")
        if not beside.is_file():
            continue
        facts = _object(beside)

        def cell(name: str, facts: dict[str, Any] = facts, beside: Path = beside) -> str:
            return plain_cell(facts.get(name), f"{beside}, {name}")

        yield {
            "id": cell("id") or path.stem,
            "path": _from(folder, path),
            "text": cell("text"),
            "speaker": cell("speaker"),
            "language": cell("language"),
        }


def _from(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _text(path: Path) -> str:
    hint = "save it as UTF-8, or remove it from the folder"
    with damage_as(DataError, path, what="cannot be read", hint=hint):
        return path.read_text(encoding="utf-8-sig").strip()


def _object(path: Path) -> dict[str, Any]:
    with damage_as(DataError, path, hint="download it again, or delete it"):
        found = parse_json(_text(path))
    if not isinstance(found, dict):
        raise DataError(f"{path} is not a JSON object", hint="download it again, or delete it")
    return found


LAYOUTS: tuple[Callable[[Path], Iterator[TableRow]], ...] = (
    lj_speech,
    libri_speech,
    libri_tts,
    vctk,
    common_voice,
    emilia,
)
