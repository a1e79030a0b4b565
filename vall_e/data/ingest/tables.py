"""Tables of transcripts: tsv, csv, json and jsonl, and lines with bars. Torch-free.

A table is read unambiguously, or refused with the line and what was expected: no cell and no
column is ever dropped silently.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from typing import TYPE_CHECKING, Any

from vall_e.damaged_files import damage_as, parse_json
from vall_e.data.ingest.bar_tables import bar_rows
from vall_e.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FORMATS = (".tsv", ".csv", ".jsonl", ".json")
BARS = ".txt"
"""Read as a table only if given by name: next to a recording it is the transcript."""
COLUMNS = {
    "id": ("id",),
    "path": (
        "path", "file", "file_name", "filename", "file_path", "filepath", "audio", "audio_file",
        "audio_path", "audio_filepath", "wav", "wav_file", "wav_path", "wav_filename",
    ),
    "text": (
        "text", "transcript", "transcription", "sentence", "normalized_text",
        "normalized_transcription", "raw_text", "raw_transcription",
    ),
    "speaker": ("speaker", "speaker_id", "speaker_name", "client_id"),
    "language": ("language", "lang", "locale"),
}  # fmt: skip
"""Possible names of each column; the first one that a row fills in is used."""
DELIMITERS = {".tsv": "\t", ".csv": ",", BARS: "|"}

log = logging.getLogger(__name__)
Rows = list[dict[str, str]]


def read_table(table: Path) -> Rows:
    """Its rows, by the names of `COLUMNS`. Raises `DataError` for an ambiguous row."""
    hint = "write it as UTF-8 tsv, csv, json (a list of objects) or jsonl"
    if not table.exists():
        raise DataError(f"{table} does not exist", hint="check --transcripts")
    with damage_as(DataError, table, what="cannot be read", hint=hint):
        found = _parsed(table.read_text(encoding="utf-8-sig"), table)
    if not isinstance(found, list) or not all(isinstance(row, dict) for _, row in found):
        raise DataError(f"{table} is not a list of objects", hint=hint)
    _require_columns(table, dict.fromkeys(key for _, row in found for key in row))
    return [_by_role(row, f"{table}, {place}") for place, row in found]


def delimited_rows(
    text: str, delimiter: str, table: Path
) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The header, and numbered rows. Raises `DataError` if a row has too many cells."""
    # Quotation marks in a tsv are part of the text.
    quoted = delimiter in ",;"
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=True,
    )
    header = [cell.strip() for cell in next(reader, [])]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise DataError(
            f"{table} has two columns called {twice[0]}", hint="give each column its own name"
        )
    rows = []
    for cells in reader:
        if any(cell.strip() for cell in cells[len(header) :]):
            raise DataError(
                f"{table}, line {reader.line_num}, has {len(cells)} cells, but there are "
                f"{len(header)} columns: {', '.join(header)}",
                hint=_hint(delimiter),
            )
        if any(cell.strip() for cell in cells):
            rows.append((reader.line_num, dict(zip(header, cells, strict=False))))
    return header, rows


def plain_cell(value: object, where: str) -> str:
    """A text or number as text. Raises `DataError` for anything else."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise DataError(
            f"{where}: expected a text, found {json.dumps(value, ensure_ascii=False)}",
            hint="write a text in quotation marks, or remove the value",
        )
    return str(value).strip()


def _parsed(text: str, table: Path) -> Any:
    """Rows, each with its place in the file."""
    suffix = table.suffix.lower()
    if suffix == ".json":
        found = parse_json(text)
        return [(f"row {i}", r) for i, r in enumerate(found, 1)] if type(found) is list else found
    if suffix == ".jsonl":
        lines = enumerate(text.split("\n"), 1)
        return [(f"line {i}", parse_json(line)) for i, line in lines if line.strip()]
    if suffix not in DELIMITERS:
        raise ValueError(f"{suffix or 'no suffix'} is not one of {', '.join(FORMATS)}")
    usual = DELIMITERS[suffix]
    delimiter = header_delimiter(text, usual)
    first = text.split("\n", 1)[0]
    if delimiter is None and "|" in first and (usual == "|" or usual not in first):
        rows = bar_rows(text, table)
    else:
        _, rows = delimited_rows(text, delimiter or usual, table)
    return [(f"line {number}", row) for number, row in rows]


def header_delimiter(text: str, usual: str = ",") -> str | None:
    """The separator of the column names in the first line; None: there are no such names."""
    first = text.lstrip().split("\n", 1)[0]
    for delimiter in dict.fromkeys((usual, "\t", ",", ";", "|")):
        names = {_normal(cell.strip().strip('"')) for cell in first.split(delimiter)}
        if names & set(COLUMNS["path"]):
            return delimiter
    return None


def _require_columns(table: Path, names: Iterable[str]) -> None:
    known = {_normal(name) for role in COLUMNS.values() for name in role}
    unknown = [name for name in names if _normal(name) not in known]
    if unknown and not any(_normal(name) in COLUMNS["text"] for name in names):
        raise DataError(
            f"{table} has no text column, only {', '.join(unknown[:5])}",
            hint="name the columns in the first line, for example path and text",
        )
    if unknown:
        log.warning("%s: columns that are not used: %s", table, ", ".join(unknown))


def _by_role(row: Mapping[str, Any], place: str) -> dict[str, str]:
    cells = {_normal(name): value for name, value in row.items()}
    found = {}
    for role, names in COLUMNS.items():
        values = (plain_cell(cells.get(name), f"{place}, {name}") for name in names)
        found[role] = next(filter(None, values), "")
    return found


def _normal(name: object) -> str:
    return str(name).strip().lower()


def _hint(delimiter: str) -> str:
    if delimiter in ",;":
        return f'put texts with a {delimiter} in quotation marks: "Well{delimiter} yes"'
    return {
        "\t": "replace the tabs within texts with spaces",
        "|": "remove the bars from the texts",
    }[delimiter]
