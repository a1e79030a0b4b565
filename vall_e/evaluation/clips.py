"""What is judged: clips on disk, their references, and the list that names them. Torch-free."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import field, frozen

from vall_e.audio.clip import Clip
from vall_e.config.errors import meant
from vall_e.damaged_files import damage_as
from vall_e.errors import AudioError, DataError
from vall_e.interfaces.judge import Case, Evidence

COLUMNS = ("path", "text", "speaker", "reference", "original")
PATHS = ("path", "reference", "original")


@frozen
class EvalClip:
    """A clip to judge. Its paths are absolute or relative to the working directory."""

    path: Path
    text: str = ""
    speaker: str = ""
    group: str = ""
    """Its group in the report: a voice, a speaker, a number of levels."""
    reference: Path | None = None
    """A reference recording of the intended speaker."""
    original: Path | None = None
    """The original audio that the codec encoded."""
    problem: str = ""
    """Why there is no clip; `path` is then what it should have been made from."""

    def evidence(self) -> Evidence:
        """The clips, read. Raises `AudioError`."""
        if self.problem:
            raise AudioError(self.problem, hint="correct the recording, or remove it from the list")
        return Evidence(
            Clip.read(self.path),
            text=self.text,
            speaker=self.speaker,
            reference=Clip.read(self.reference) if self.reference else None,
            original=Clip.read(self.original) if self.original else None,
        )


@frozen
class Items:
    """Everything that one evaluation judges, and the hashes of its sources."""

    items: tuple[EvalClip, ...]
    inputs: Mapping[str, Mapping[str, str]] = field(factory=dict)
    """By role (`list`, `texts`, `model`): facts, including a `sha256`."""
    pooled: bool = True
    """Whether figures over all groups together are meaningful."""

    def case(self, candidates: Sequence[str], seed: int) -> Case:
        """What judges know about the whole: every clip may say any of the texts."""
        texts = {item.text: None for item in self.items if item.text}
        pairs = {(i.speaker, i.reference): None for i in self.items if i.speaker and i.reference}
        references: dict[str, list[Clip]] = {}
        for speaker, path in pairs:
            with suppress(AudioError):  # reported with the clips that are compared with it
                references.setdefault(speaker, []).append(Clip.read(path))
        return Case((*texts, *(line for line in candidates if line not in texts)), references, seed)


def read_list(path: Path) -> Items:
    """A tab-separated table: `path`, and optionally `text`, `speaker` and recordings.

    Paths are relative to its folder. Raises one `DataError` that names all missing files.
    """
    data = _bytes(path)
    try:
        lines = io.StringIO(data.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise DataError(f"{path} is not text in UTF-8", hint="save it as UTF-8") from exc
    hint = "write a table with tabs between the columns, and one row a line"
    with damage_as(DataError, path, what="cannot be read", hint=hint):
        reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = list(reader)
    if not rows or not rows[0].get("path"):
        raise DataError(
            f"{path} has no rows, or no column `path`",
            hint=f"begin it with a line of tab-separated column names: {', '.join(COLUMNS)}",
        )
    _require_known(path, reader.fieldnames or ())
    for number, row in enumerate(rows, 2):
        if row.get(None):
            raise DataError(
                f"{path}, line {number}, has more cells than there are columns",
                hint="replace the tabs within texts by spaces",
            )
    items = tuple(_item(path, number, row) for number, row in enumerate(rows, 2))
    _require_files(path, items)
    return Items(items, {"list": {"file": path.name, "sha256": hashlib.sha256(data).hexdigest()}})


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not empty. Raises `DataError` if there are none."""
    try:
        lines = [line.strip() for line in _bytes(path).decode("utf-8-sig").split("\n")]
    except UnicodeDecodeError as exc:
        raise DataError(f"{path} is not text in UTF-8", hint="save it as UTF-8") from exc
    if not any(lines):
        raise DataError(f"{path} contains no text", hint="write one sentence per line")
    return [line for line in lines if line]


def facts(path: Path) -> dict[str, str]:
    """A file's name and hash, for the report."""
    return {"file": path.name, "sha256": hashlib.sha256(_bytes(path)).hexdigest()}


def _require_known(table: Path, columns: Iterable[str]) -> None:
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        raise DataError(
            f"{table} has the unknown column {unknown[0]!r}{meant(unknown[0], COLUMNS)}",
            hint=f"remove it, or rename it to one of {', '.join(COLUMNS)}",
        )


def _item(table: Path, number: int, row: Mapping[str, str | None]) -> EvalClip:
    values = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if not values["path"]:
        raise DataError(f"{table}, line {number}, names no file", hint="fill in its `path`")
    paths = {name: table.parent / values[name] if values[name] else None for name in PATHS}
    speaker = values["speaker"] or values["reference"]
    return EvalClip(
        path=table.parent / values["path"],
        text=values["text"],
        speaker=speaker,
        group=speaker,
        reference=paths["reference"],
        original=paths["original"],
    )


def _require_files(table: Path, items: Sequence[EvalClip]) -> None:
    named = [path for item in items for path in (item.path, item.reference, item.original)]
    missing = [str(path) for path in dict.fromkeys(named) if path and not os.path.isfile(path)]
    if missing:
        listed = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise DataError(
            f"{table} names {len(missing)} files that do not exist: {listed}",
            hint="correct the paths; they are relative to the folder of the list",
        )


def _bytes(path: Path) -> bytes:
    with damage_as(DataError, path, what="cannot be read", hint="check the path"):
        return path.read_bytes()
