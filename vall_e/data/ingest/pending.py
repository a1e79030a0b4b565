"""Which recordings a dataset folder still lacks, and which it cannot take. Torch-free."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from vall_e.damaged_files import parse_json
from vall_e.data.dataset.manifest import Entry, write_lines
from vall_e.data.ingest.object_storage import is_url
from vall_e.data.ingest.recordings import Recording
from vall_e.data.ingest.rules import repeated_ids
from vall_e.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

log = logging.getLogger(__name__)


def sort_out(
    recordings: Sequence[Recording], known: Mapping[str, Entry], out: Path
) -> tuple[list[Recording], list[tuple[Recording, str]]]:
    """The recordings to process, and those refused, with reasons. The rest is done already.

    Raises `DataError` if other recordings, which still exist, have these ids already.
    """
    todo: list[Recording] = []
    refused: list[tuple[Recording, str]] = []
    changed = 0
    _require_same_sources(recordings, known, out)
    for recording, problem in repeated_ids(recordings):
        if problem:
            refused.append((recording, problem))
        elif recording.id not in known:
            todo.append(recording)
        elif known[recording.id].text != recording.text:
            changed += 1
    if changed:
        log.warning(
            "%d transcripts have changed since they were processed; delete the folder to redo them",
            changed,
        )
    return todo, refused


def _require_same_sources(
    recordings: Sequence[Recording], known: Mapping[str, Entry], out: Path
) -> None:
    taken: list[tuple[str, str]] = []
    for recording in recordings:
        entry = known.get(recording.id)
        if entry is None or not entry.source or recording.problem:
            continue
        source = _place(entry.source if is_url(entry.source) else str(out / entry.source))
        if source != _place(recording.place) and (is_url(source) or Path(source).exists()):
            taken.append((recording.id, source))
    if taken:
        identity, source = taken[0]
        raise DataError(
            f"{out} already has other recordings with the same ids: {identity!r} is {source} "
            "there, "
            f"{len(taken)} in total",
            hint="process these into a separate folder and list both in data.train, "
            "or give them other ids in a table with a column `id`",
        )


def write_skipped(
    path: Path, skipped: Sequence[tuple[str, str]], recordings: Sequence[Recording]
) -> None:
    """Where each one is, and why.

    Recordings that earlier runs left out stay on the list, unless their files are gone.
    """
    ours = {_place(recording.place) for recording in recordings}
    rows = [row for row in _listed(path) if _place(row["path"]) not in ours]
    rows = [row for row in rows if is_url(row["path"]) or os.path.exists(_place(row["path"]))]
    rows += [{"path": _place(place), "reason": reason} for place, reason in skipped]
    write_lines(path, rows)


def _listed(path: Path) -> Iterator[dict[str, str]]:
    """What earlier runs wrote; a damaged line is not worth stopping a run."""
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            row = parse_json(line)
            yield {"path": str(row["path"]), "reason": str(row["reason"])}
        except (ValueError, KeyError, TypeError):
            log.warning("left out of %s, as it is damaged: %r", path, line[:80])


def _place(told: str) -> str:
    try:
        return told if is_url(told) else str(Path(told).resolve())
    except (ValueError, OSError):  # of a damaged line
        return told
