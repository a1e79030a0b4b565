"""A dataset folder to add to: complete entries are kept, an incomplete end is cut off."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from vall_e.data.dataset.manifest import (
    CODES,
    INFO,
    MANIFEST,
    Entry,
    Info,
    read_entries,
    read_info,
    read_lines,
    write_info,
)
from vall_e.data.ingest.object_storage import SEEN
from vall_e.data.ingest.recordings import NOISE
from vall_e.errors import DataError
from vall_e.folder_lock import LOCK

log = logging.getLogger(__name__)


def open_unfinished(out: Path, info: Info) -> list[Entry]:
    """The entries of the folder, after cutting off what a killed run left incomplete."""
    others = {path.name for path in out.iterdir()} - {LOCK, NOISE, SEEN}
    if others and not others & {MANIFEST, INFO}:
        raise DataError(f"{out} contains other files, not a dataset", hint="choose another folder")
    entries = read_entries(out)
    _require_gapless(entries, out)
    if (out / INFO).exists():
        found = read_info(out)
        _require_same(found, info, out)
        _require_all(entries, found, out)
    entries = _with_codes(entries, out, 2 * info.levels)
    write_info(out, info)
    with (out / CODES).open("ab") as codes, (out / MANIFEST).open("ab") as manifest:
        codes.truncate(2 * info.levels * sum(entry.frames for entry in entries))
        manifest.truncate(sum(map(len, read_lines(out)[: len(entries)])))
    return entries


def _require_all(entries: Sequence[Entry], found: Info, out: Path) -> None:
    """Raise `DataError` if lines of a finished dataset are missing: their codes would be lost."""
    if found.complete and len(entries) < found.utterances:
        raise DataError(
            f"{out / MANIFEST} has {len(entries)} lines, but {INFO} says {found.utterances}: "
            "lines at its end were deleted",
            hint="restore the manifest, or process into another folder",
        )


def _with_codes(entries: list[Entry], out: Path, frame: int) -> list[Entry]:
    """The entries whose codes exist, `frame` bytes each: all but the last, if a kill cut it off.

    Raises `DataError` if more of them are missing.
    """
    path = out / CODES
    size = path.stat().st_size if path.exists() else 0
    whole = [entry for entry in entries if (entry.offset + entry.frames) * frame <= size]
    missing = len(entries) - len(whole)
    if missing > 1:
        raise DataError(
            f"{path} is too short: the codes of {missing} of {len(entries)} utterances are missing",
            hint="copy the folder again, or process into another folder",
        )
    if missing:
        log.warning("the codes of %r were incomplete: it is processed again", entries[-1].id)
    rest = size - frame * sum(entry.frames for entry in whole)
    if rest and not missing:
        log.warning("%s: %d bytes of an incomplete utterance are cut off", path, rest)
    return whole


def _require_gapless(entries: Sequence[Entry], out: Path) -> None:
    """Raise `DataError` for moved or deleted lines: new codes would overwrite others."""
    end = 0
    for number, entry in enumerate(entries, start=1):
        if entry.offset != end:
            raise DataError(
                f"{out / MANIFEST}, line {number}: the codes of {entry.id!r} start at frame "
                f"{entry.offset}, but those before it end at {end}: lines were deleted or moved",
                hint="restore the manifest, or process into another folder",
            )
        end += entry.frames


def _require_same(found: Info, ours: Info, out: Path) -> None:
    differences = found.differences(ours)
    if differences:
        raise DataError(
            f"{out} was made with {found.describe(differences)}, "
            f"not with {ours.describe(differences)}",
            hint="choose another folder",
        )
