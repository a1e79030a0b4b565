"""The description of a dataset folder, and of each of its utterances. Torch-free.

dataset.json     describes the codes: codec, frame rate, levels; and whether it is complete
manifest.jsonl   one line for each utterance: text, phonemes, speaker, position of its codes
codes.i16        all codes, one frame after the other: little-endian int16, (frames, levels)
skipped.jsonl    what was left out, with reasons
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from vall_e import atomic_write
from vall_e.errors import DataError
from vall_e.interfaces.store import FORMAT
from vall_e.interfaces.store import Entry as Entry
from vall_e.interfaces.store import Info as Info

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

T = TypeVar("T")

INFO = "dataset.json"
MANIFEST = "manifest.jsonl"
CODES = "codes.i16"
SKIPPED = "skipped.jsonl"


def write_info(folder: Path, info: Info) -> None:
    write_text(folder / INFO, json.dumps(attrs.asdict(info), indent=2) + "\n")


def read_info(folder: Path) -> Info:
    """Raise `DataError` if there is no dataset, or one in a later format."""
    path = folder / INFO
    hint = "make one with `vall-e data process`"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"{folder} is not a dataset: it has no {INFO}", hint=hint) from None
    except ValueError as exc:
        raise DataError(f"{path} is damaged: {exc}", hint=hint) from exc
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise DataError(f"{path} is not of dataset format {FORMAT}", hint=hint)
    return _structure(Info, raw, path)


def read_entries(folder: Path) -> list[Entry]:
    """All complete lines, in order. An incomplete last line, from a killed run, is left out."""
    return [entry_of(line, folder / MANIFEST) for line in read_lines(folder)]


def entry_of(line: bytes, path: Path) -> Entry:
    """One line of the manifest at `path`; raises `DataError` if it is invalid."""
    try:
        raw = json.loads(line.decode())
    except ValueError as exc:
        hint = "copy it again, or make the dataset again"
        said = f"{path} is damaged: {exc}, in the line that begins {line[:40]!r}"
        raise DataError(said, hint=hint) from exc
    return _structure(Entry, raw, path)


def read_lines(folder: Path) -> list[bytes]:
    """The complete lines of the manifest, unparsed; empty if there is no manifest."""
    path = folder / MANIFEST
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def line_of(entry: Entry) -> str:
    return json.dumps(attrs.asdict(entry), ensure_ascii=False) + "\n"


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_text(path: Path, text: str) -> None:
    """The file is written completely or not at all; raises `DataError` if it cannot be written."""
    atomic_write.write_atomically(path, text.encode(), error=DataError)


def _structure(cls: type[T], raw: dict[str, Any], path: Path) -> T:
    try:
        return cls(**raw)
    except TypeError as exc:
        hint = "it was written by another version; process the recordings again"
        raise DataError(f"{path}: {exc}", hint=hint) from exc
