"""Recordings to a dataset folder, resumably: what is written stays, whatever happens."""

from __future__ import annotations

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
    MANIFEST,
    SKIPPED,
    Entry,
    Info,
    line_of,
    read_entries,
    read_info,
    write_info,
    write_lines,
)
from vall_e.data.prepare import Prepared, Preparer, Skipped
from vall_e.data.recordings import Recording
from vall_e.errors import DataError

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
    entries = _open(out, preparer.info)
    known = {entry.id: entry for entry in entries}
    todo, skipped = _sort_out(recordings, known)
    for item in skipped:
        on_item(item)
    done = 0
    with (out / CODES).open("ab") as codes, (out / MANIFEST).open("ab") as manifest:
        for outcome in _outcomes(todo, preparer, make, workers):
            if isinstance(outcome, Skipped):
                skipped.append(outcome)
            else:
                entries.append(_append(outcome, codes, manifest))
                done += 1
            on_item(outcome)
    info = attrs.evolve(
        preparer.info,
        complete=True,
        utterances=len(entries),
        speakers=len({entry.speaker for entry in entries}),
        seconds=round(sum(entry.seconds for entry in entries), 3),
    )
    rows = [{"path": str(item.recording.path), "reason": item.reason} for item in skipped]
    write_lines(out / SKIPPED, rows)
    write_info(out, info)
    already = len(recordings) - done - len(skipped)
    return Report(done=done, already=already, skipped=tuple(skipped), info=info)


def _open(out: Path, info: Info) -> list[Entry]:
    """What the folder holds already, after cutting off what a killed run left half written."""
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()) and not (out / MANIFEST).exists() and not (out / "dataset.json").exists():
        raise DataError(f"{out} holds something else than a dataset", hint="choose another folder")
    if (out / "dataset.json").exists():
        _require_same(read_info(out), info, out)
    write_info(out, info)
    entries = read_entries(out)
    frame = 2 * info.levels
    with (out / CODES).open("ab") as codes, (out / MANIFEST).open("ab") as manifest:
        size = codes.tell()
        while entries and (entries[-1].offset + entries[-1].frames) * frame > size:
            entries.pop()
        codes.truncate(frame * sum(entry.frames for entry in entries))
        manifest.truncate(sum(len(line_of(entry).encode()) for entry in entries))
    return entries


def _require_same(found: Info, ours: Info, out: Path) -> None:
    differences = found.differences(ours)
    if differences:
        was, now = (
            ", ".join(f"{name} {getattr(info, name)}" for name in differences)
            for info in (found, ours)
        )
        raise DataError(f"{out} was made with {was}, not with {now}", hint="choose another folder")


def _sort_out(
    recordings: Sequence[Recording], known: dict[str, Entry]
) -> tuple[list[Recording], list[Skipped]]:
    todo: list[Recording] = []
    skipped: list[Skipped] = []
    seen: set[str] = set()
    changed = 0
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


def _append(item: Prepared, codes: BinaryIO, manifest: BinaryIO) -> Entry:
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


def _outcomes(
    todo: Sequence[Recording], preparer: Preparer, make: Callable[[], Preparer], workers: int
) -> Iterator[Prepared | Skipped]:
    if workers == 0 or not todo:
        yield from map(preparer, todo)
        return
    loader = DataLoader(
        _Todo(todo, make),
        batch_size=None,
        num_workers=min(workers, len(todo), 4 * (os.cpu_count() or 1)),
        multiprocessing_context="spawn",
        prefetch_factor=16,
    )
    yield from loader
