"""Recordings to a dataset folder, resumably: what is written stays, whatever happens."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import attrs
import torch
from attrs import frozen
from torch.utils.data import DataLoader, Dataset

from vall_e.data.manifest import (
    CODES,
    INFO,
    MANIFEST,
    SKIPPED,
    Entry,
    Info,
    line_of,
    read_entries,
    read_info,
    read_lines,
    write_info,
    write_lines,
)
from vall_e.data.prepare import Prepared, Preparer, Skipped
from vall_e.data.recordings import NOISE, Recording
from vall_e.errors import DataError
from vall_e.folder_lock import LOCK, locked

log = logging.getLogger(__name__)


@frozen
class Report:
    """What became of the recordings. `already`: done by an earlier run. Hours are the folder's."""

    done: int
    already: int
    skipped: tuple[Skipped, ...]
    info: Info

    @property
    def reasons(self) -> Counter[str]:
        return Counter(item.reason for item in self.skipped)


def process(
    recordings: Sequence[Recording],
    out: Path,
    make: Callable[[], Preparer],
    *,
    workers: int = 0,
    on_item: Callable[[Prepared | Skipped], None] = lambda item: None,
) -> Report:
    """Add the recordings to the dataset in `out`, which is made if it is not there.

    Those that the folder has already are not done again. With `workers` so many processes prepare
    them (`make` must then be picklable); the outcome is the same.
    """
    preparer = make()
    with locked(out, error=DataError):
        return _process(recordings, out, preparer, _Outcomes(preparer, make, workers), on_item)


def _process(
    recordings: Sequence[Recording],
    out: Path,
    preparer: Preparer,
    outcomes: _Outcomes,
    on_item: Callable[[Prepared | Skipped], None],
) -> Report:
    entries = _open(out, preparer.info)
    known = {entry.id: entry for entry in entries}
    todo, skipped = _sort_out(recordings, known, out)
    for item in skipped:
        on_item(item)
    done = 0
    with (out / CODES).open("ab") as codes, (out / MANIFEST).open("ab") as manifest:
        for outcome in outcomes(todo):
            if isinstance(outcome, Skipped):
                skipped.append(outcome)
            else:
                entries.append(_append(outcome, out, codes, manifest))
                done += 1
            on_item(outcome)
    info = attrs.evolve(
        preparer.info,
        complete=True,
        utterances=len(entries),
        speakers=len({entry.speaker for entry in entries}),
        seconds=round(sum(entry.seconds for entry in entries), 3),
    )
    _write_skipped(out, skipped, recordings)
    write_info(out, info)
    already = len(recordings) - done - len(skipped)
    return Report(done=done, already=already, skipped=tuple(skipped), info=info)


def _open(out: Path, info: Info) -> list[Entry]:
    """What the folder holds already, after cutting off what a killed run left half written."""
    others = {path.name for path in out.iterdir()} - {LOCK, NOISE}
    if others and not others & {MANIFEST, INFO}:
        raise DataError(f"{out} holds something else than a dataset", hint="choose another folder")
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
    """Raise `DataError` if lines of a finished dataset are gone: their codes would be cut off."""
    if found.complete and len(entries) < found.utterances:
        raise DataError(
            f"{out / MANIFEST} has {len(entries)} lines, {INFO} says {found.utterances}: "
            "lines at its end were deleted",
            hint="put the manifest back as it was, or process into another folder",
        )


def _with_codes(entries: list[Entry], out: Path, frame: int) -> list[Entry]:
    """Those whose codes are there, `frame` bytes each: all but the last, which a kill can tear.

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
        log.warning("the codes of %r were not whole: it is done again", entries[-1].id)
    rest = size - frame * sum(entry.frames for entry in whole)
    if rest and not missing:
        log.warning("%s: %d bytes of an utterance that was not finished are cut off", path, rest)
    return whole


def _require_gapless(entries: Sequence[Entry], out: Path) -> None:
    """Raise `DataError` for lines that were moved or deleted: new codes would overwrite others."""
    end = 0
    for number, entry in enumerate(entries, start=1):
        if entry.offset != end:
            raise DataError(
                f"{out / MANIFEST}, line {number}: the codes of {entry.id!r} start at frame "
                f"{entry.offset}, those before end at {end}: lines were deleted or moved",
                hint="put the manifest back as it was, or process into another folder",
            )
        end += entry.frames


def _require_same(found: Info, ours: Info, out: Path) -> None:
    differences = found.differences(ours)
    if differences:
        raise DataError(
            f"{out} was made with {found.told(differences)}, not with {ours.told(differences)}",
            hint="choose another folder",
        )


def _sort_out(
    recordings: Sequence[Recording], known: dict[str, Entry], out: Path
) -> tuple[list[Recording], list[Skipped]]:
    todo: list[Recording] = []
    skipped: list[Skipped] = []
    seen: set[str] = set()
    changed = 0
    _require_same_sources(recordings, known, out)
    for recording in recordings:
        if recording.id in seen:
            skipped.append(Skipped(recording, f"its id {recording.id!r} is taken"))
        elif recording.id not in known:
            todo.append(recording)
        elif known[recording.id].text != recording.text:
            changed += 1
        seen.add(recording.id)
    if changed:
        log.warning(
            "%d transcripts have changed since they were processed; delete the folder to redo them",
            changed,
        )
    return todo, skipped


def _require_same_sources(
    recordings: Sequence[Recording], known: dict[str, Entry], out: Path
) -> None:
    """Raise `DataError` if other recordings, which still exist, have these ids already."""
    taken: list[tuple[str, Path]] = []
    for recording in recordings:
        entry = known.get(recording.id)
        if entry is None or not entry.source or recording.problem:
            continue
        source = (out / entry.source).resolve()
        if source != recording.path.resolve() and source.exists():
            taken.append((recording.id, source))
    if taken:
        identity, source = taken[0]
        raise DataError(
            f"{out} has other recordings of the same id: {identity!r} is {source} there, "
            f"{len(taken)} in all",
            hint="process these into a folder of their own and list both in data.train, "
            "or give them other ids in a table with a column `id`",
        )


def _write_skipped(out: Path, skipped: Sequence[Skipped], recordings: Sequence[Recording]) -> None:
    """What earlier runs left out of other recordings stays on the list."""
    path = out / SKIPPED
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    ours = {str(recording.path.resolve()) for recording in recordings}
    rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if str(Path(row["path"]).resolve()) not in ours]
    rows += [{"path": str(item.recording.path), "reason": item.reason} for item in skipped]
    write_lines(path, rows)


def _append(item: Prepared, out: Path, codes: BinaryIO, manifest: BinaryIO) -> Entry:
    """Codes first: a line of the manifest is never without its codes."""
    frames, levels = item.codes.shape
    entry = Entry(
        id=item.recording.id,
        speaker=item.recording.speaker,
        language=item.language,
        text=item.recording.text,
        phonemes=item.phonemes,
        seconds=round(item.seconds, 4),
        offset=codes.tell() // (2 * levels),
        frames=frames,
        source=Path(os.path.relpath(item.recording.path.resolve(), out.resolve())).as_posix(),
    )
    codes.write(item.codes.tobytes())
    codes.flush()
    manifest.write(line_of(entry).encode())
    manifest.flush()
    return entry


class _Todo(Dataset[Any]):
    """The recordings, prepared when asked for; each process makes a preparer of its own."""

    def __init__(self, todo: Sequence[Recording], make: Callable[[], Preparer]) -> None:
        self.todo = todo
        self.make = make
        self.preparer: Preparer | None = None

    def __len__(self) -> int:
        return len(self.todo)

    def __getitem__(self, index: int) -> Prepared | Skipped:
        if self.preparer is None:
            torch.set_num_threads(1)  # the other cores belong to the other workers
            self.preparer = self.make()
        return self.preparer(self.todo[index])


@frozen(eq=False)
class _Outcomes:
    """What becomes of recordings, in their order; with `workers` prepared in other processes."""

    preparer: Preparer
    make: Callable[[], Preparer]
    workers: int

    def __call__(self, todo: Sequence[Recording]) -> Iterator[Prepared | Skipped]:
        if self.workers == 0 or not todo:
            yield from map(self.preparer, todo)
            return
        yield from DataLoader(
            _Todo(todo, self.make),
            batch_size=None,
            num_workers=min(self.workers, len(todo), 4 * (os.cpu_count() or 1)),
            multiprocessing_context="spawn",
            prefetch_factor=16,
        )
