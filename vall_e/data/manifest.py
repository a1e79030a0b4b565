"""What a dataset folder says about itself, and about each of its utterances. Torch-free.

dataset.json     what the codes are: codec, frame rate, levels; and whether all is done
manifest.jsonl   one line an utterance: text, phonemes, speaker, where its codes lie
codes.i16        all codes, one frame after the other: little-endian int16, (frames, levels)
skipped.jsonl    what was left out, and why
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from attrs import frozen

from vall_e.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

T = TypeVar("T")

FORMAT = 1
INFO = "dataset.json"
MANIFEST = "manifest.jsonl"
CODES = "codes.i16"
SKIPPED = "skipped.jsonl"


@frozen
class Info:
    """`dataset.json`. Counts are those of the manifest, once `complete` is true."""

    codec: str
    frame_rate: float
    sample_rate: int
    levels: int
    codebook_size: int
    phonemizer: str
    complete: bool = False
    utterances: int = 0
    speakers: int = 0
    seconds: float = 0.0
    format: int = FORMAT

    def differences(self, other: Info) -> list[str]:
        """Names of the settings, counts aside, that keep the two from sharing a folder."""
        names = ("codec", "frame_rate", "levels", "codebook_size", "phonemizer", "format")
        return [name for name in names if getattr(self, name) != getattr(other, name)]

    def told(self, names: Sequence[str]) -> str:
        """These settings with their values, for a message."""
        return ", ".join(f"{name} {getattr(self, name)}" for name in names)


@frozen
class Entry:
    """One line of the manifest. The codes are frames `offset` to `offset + frames` of the file.

    `source` is the path of the recording, counted from the dataset's folder; empty: not known.
    """

    id: str
    speaker: str
    language: str
    text: str
    phonemes: str
    seconds: float
    offset: int
    frames: int
    source: str = ""


def write_info(folder: Path, info: Info) -> None:
    write_whole(folder / INFO, json.dumps(attrs.asdict(info), indent=2) + "\n")


def read_info(folder: Path) -> Info:
    """Raise `DataError` where there is no dataset, or one of a later version."""
    path = folder / INFO
    hint = "make one with `vall-e data process`"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{folder} is not a dataset: it has no {INFO}", hint=hint) from None
    except ValueError as exc:
        raise DataError(f"{path} is damaged: {exc}", hint=hint) from exc
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise DataError(f"{path} is not of dataset format {FORMAT}", hint=hint)
    return _structure(Info, raw, path)


def read_entries(folder: Path) -> list[Entry]:
    """All complete lines, in order. A last line without its end, from a killed run, is left out."""
    path = folder / MANIFEST
    try:
        return [_structure(Entry, json.loads(line.decode()), path) for line in read_lines(folder)]
    except ValueError as exc:
        hint = "delete the folder and process the recordings again"
        raise DataError(f"{path} is damaged: {exc}", hint=hint) from exc


def read_lines(folder: Path) -> list[bytes]:
    """The complete lines of the manifest as they stand there; none if there is no manifest."""
    path = folder / MANIFEST
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def line_of(entry: Entry) -> str:
    return json.dumps(attrs.asdict(entry), ensure_ascii=False) + "\n"


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    write_whole(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_whole(path: Path, text: str) -> None:
    """The file appears whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def _structure(cls: type[T], raw: dict[str, Any], path: Path) -> T:
    try:
        return cls(**raw)
    except TypeError as exc:
        hint = "it was written by another version; process the recordings again"
        raise DataError(f"{path}: {exc}", hint=hint) from exc
