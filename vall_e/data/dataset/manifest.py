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
from vall_e.damaged_files import damage_as, parse_json, reason
from vall_e.errors import DataError
from vall_e.interfaces.store import FORMAT
from vall_e.interfaces.store import Entry as Entry
from vall_e.interfaces.store import Info as Info

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

T = TypeVar("T")

KINDS = {
    field.name: {"str": str, "int": int, "float": float, "bool": bool}[str(field.type)]
    for cls in (Info, Entry)
    for field in attrs.fields(cls)
}
"""The types of the values of both; a name that both have is of the same type."""
LARGEST = 1 << 53
"""Of a number: the largest whole one that a float holds exactly."""

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
    with damage_as(DataError, path, hint=hint):
        try:
            text = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise DataError(f"{folder} is not a dataset: it has no {INFO}", hint=hint) from None
        raw = parse_json(text)
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise DataError(f"{path} is not of dataset format {FORMAT}", hint=hint)
    return info_of_json(raw, path)


def read_entries(folder: Path) -> list[Entry]:
    """All complete lines, in order. An incomplete last line, from a killed run, is left out."""
    return [entry_of(line, folder / MANIFEST) for line in read_lines(folder)]


def entry_of(line: bytes, path: Path) -> Entry:
    """One line of the manifest at `path`; raises `DataError` if it is invalid."""
    try:
        return _structure(Entry, parse_json(line))
    except (ValueError, TypeError) as exc:
        hint = "copy it again, or make the dataset again"
        said = f"{path} is damaged: {reason(exc)}, in the line that begins {line[:40]!r}"
        raise DataError(said, hint=hint) from exc


def info_of_json(raw: Any, path: Path) -> Info:
    """The description of the dataset at `path`. Raises `DataError` for values of other types."""
    hint = "it was written by another version; process the recordings again"
    with damage_as(DataError, path, what="does not describe a dataset", hint=hint):
        return _structure(Info, raw)


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
    # A path that is no UTF-8 is written as its escapes.
    data = text.encode("utf-8", "backslashreplace")
    atomic_write.write_atomically(path, data, error=DataError)


def _structure(cls: type[T], raw: Any) -> T:
    """Raises `TypeError` or `ValueError` for unknown or missing keys, and for impossible values."""
    if not isinstance(raw, dict):
        raise TypeError("it is not a JSON object")
    for name, value in raw.items():
        kind = KINDS.get(name)
        if kind is None or type(value) is kind or (kind is float and type(value) is int):
            if kind in (int, float) and not 0 <= value <= LARGEST:
                raise ValueError(f"{name} is {value}")
            continue
        raise TypeError(f"{name} is {value!r}"[:80])
    return cls(**raw)
