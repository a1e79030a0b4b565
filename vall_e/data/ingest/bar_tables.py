"""Tables with bars and no header, like those of LJSpeech. Torch-free."""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING

from vall_e.data.ingest.audio_suffixes import AUDIO
from vall_e.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WAVS = "wavs"
"""The folder next to the table that may contain the audio."""
EXPECTED = "ID|TEXT, ID|TEXT|NORMALIZED TEXT or ID|SPEAKER|TEXT"
HEADER = "add a header line, such as path|speaker|text"
NAME = re.compile(r"[\w-]+")

log = logging.getLogger(__name__)
Line = tuple[int, list[str]]


def bar_rows(text: str, table: Path) -> list[tuple[int, dict[str, str]]]:
    """`ID|TEXT`, `ID|TEXT|NORMALIZED TEXT` or `ID|SPEAKER|TEXT`, with line numbers.

    An ID may have the suffix of its audio file. Raises `DataError` for any other line.
    """
    lines = [
        (number, [cell.strip() for cell in line.split("|")])
        for number, line in enumerate(text.split("\n"), 1)
        if line.strip()
    ]
    _require_alike(lines, table)
    with_speakers = _second_is_speaker(lines, table)
    rows = []
    for number, (identity, *cells) in lines:
        speaker, texts = (cells[0], cells[1:]) if with_speakers else ("", cells)
        path = _audio(identity, table.parent)
        speaker = speaker or (table.parent.resolve().name if path.startswith(f"{WAVS}/") else "")
        said = next(filter(None, reversed(texts)), "")
        row = {"id": _without_suffix(identity), "path": path, "text": said, "speaker": speaker}
        rows.append((number, row))
    return rows


def _require_alike(lines: Sequence[Line], table: Path) -> None:
    width = max((len(cells) for _, cells in lines), default=2)
    for number, cells in lines:
        if len(cells) == 1:
            raise DataError(
                f"{table} has a line without a text: line {number}, {cells[0]!r}",
                hint="write ID|TEXT on each line",
            )
        if len(cells) > 3 or len(cells) != width:
            raise DataError(
                f"{table}, line {number}, has {len(cells)} columns; expected {EXPECTED}, "
                "the same on each line",
                hint=f"remove bars from the texts, or {HEADER}",
            )


def _second_is_speaker(lines: Sequence[Line], table: Path) -> bool:
    """Whether three columns are ID|SPEAKER|TEXT; `DataError` if it is ambiguous."""
    if not lines or len(lines[0][1]) < 3:
        return False
    pairs = [(cells[1], cells[2]) for _, cells in lines]
    if not all(NAME.fullmatch(second) for second, _ in pairs):
        return False  # a name has no spaces and no full stop
    if all(_letters(second) == _letters(third) for second, third in pairs):
        return False
    names = [second for second, _ in pairs]
    repeated = len(set(names)) < len(names)
    sentences = any(" " in third for _, third in pairs)
    if not sentences or (not repeated and any(name.isdigit() for name in names)):
        raise DataError(
            f"{table}: the second of the three columns may be a speaker or a text "
            f"(line {lines[0][0]}: {pairs[0][0]!r})",
            hint=f"{HEADER}, or path|text|normalized_text",
        )
    log.warning("%s: the second of three columns is read as the speaker", table)
    return True


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


def _audio(identity: str, folder: Path) -> str:
    """The path of an ID's file, relative to the folder: in `wavs` if that folder exists."""
    name = identity.replace("\\", "/")
    names = [name] if _has_suffix(name) else [name + suffix for suffix in AUDIO]
    inside = f"{WAVS}/" if (folder / WAVS).is_dir() and not name.startswith(f"{WAVS}/") else ""
    places = [*(inside + name for name in names), *names]
    return next((place for place in places if os.path.isfile(folder / place)), places[0])


def _has_suffix(name: str) -> bool:
    return name.lower().endswith(AUDIO)


def _without_suffix(name: str) -> str:
    return name.rpartition(".")[0] if _has_suffix(name) else name
