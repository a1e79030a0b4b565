"""Recordings to a dataset folder, resumable: what is written is kept, whatever happens."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import attrs
import torch
from attrs import frozen

from vall_e.data.dataset.manifest import CODES, MANIFEST, SKIPPED, Entry, Info, line_of, write_info
from vall_e.data.ingest.encode_recording import Prepared, Preparer, SkippedRecording
from vall_e.data.ingest.pending import sort_out, write_skipped
from vall_e.data.ingest.recordings import Recording
from vall_e.data.ingest.resume import open_unfinished
from vall_e.errors import DataError
from vall_e.folder_lock import locked
from vall_e.interfaces.data_engine import DataEngine

DEADLY = "it crashed the processes that prepared it"


@frozen
class ProcessReport:
    """The results for the recordings. `already`: done by an earlier run. Hours are the folder's."""

    done: int
    already: int
    skipped: tuple[SkippedRecording, ...]
    info: Info

    @property
    def reasons(self) -> Counter[str]:
        return Counter(item.reason for item in self.skipped)


def process(
    recordings: Sequence[Recording],
    out: Path,
    make: Callable[[], Preparer],
    *,
    engine: DataEngine,
    on_item: Callable[[Prepared | SkippedRecording], None] = lambda item: None,
) -> ProcessReport:
    """Add the recordings to the dataset in `out`, which is created if necessary.

    Recordings that the folder already has are not processed again. The result is the same with
    each `engine`; one that uses other processes needs a `make` that can be pickled.
    """
    made = _Made(make)
    with locked(out, error=DataError):
        return _process(recordings, out, made, engine, on_item)


def _process(
    recordings: Sequence[Recording],
    out: Path,
    made: _Made,
    engine: DataEngine,
    on_item: Callable[[Prepared | SkippedRecording], None],
) -> ProcessReport:
    info = made.preparer.info
    entries = open_unfinished(out, info)
    todo, refused = sort_out(recordings, {entry.id: entry for entry in entries}, out)
    skipped = [SkippedRecording(recording, reason) for recording, reason in refused]
    for item in skipped:
        on_item(item)
    done = 0
    with (out / CODES).open("ab") as codes, (out / MANIFEST).open("ab") as manifest:
        for outcome in engine.run(todo, made, _deadly):
            if isinstance(outcome, SkippedRecording):
                skipped.append(outcome)
            else:
                entries.append(_append(outcome, out, codes, manifest))
                done += 1
            on_item(outcome)
    write_skipped(out / SKIPPED, [(one.recording.place, one.reason) for one in skipped], recordings)
    info = _counted(info, entries)
    write_info(out, info)
    already = len(recordings) - done - len(skipped)
    return ProcessReport(done=done, already=already, skipped=tuple(skipped), info=info)


def _counted(info: Info, entries: Sequence[Entry]) -> Info:
    return attrs.evolve(
        info,
        complete=True,
        utterances=len(entries),
        speakers=len({entry.speaker for entry in entries}),
        seconds=round(sum(entry.seconds for entry in entries), 3),
    )


def _deadly(recording: Recording) -> Prepared | SkippedRecording:
    return SkippedRecording(recording, DEADLY)


def _append(item: Prepared, out: Path, codes: BinaryIO, manifest: BinaryIO) -> Entry:
    """Codes first: a line of the manifest must never exist without its codes."""
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
        source=_source(item.recording, out),
    )
    codes.write(item.codes.tobytes())
    codes.flush()
    manifest.write(line_of(entry).encode())
    manifest.flush()
    return entry


def _source(recording: Recording, out: Path) -> str:
    if recording.url:
        return recording.url
    return Path(os.path.relpath(recording.path.resolve(), out.resolve())).as_posix()


class _Made:
    """The result of `make`, created once in this process; other processes create their own."""

    def __init__(self, make: Callable[[], Preparer]) -> None:
        self.make = make
        self.preparer = make()

    def __call__(self) -> Preparer:
        return self.preparer

    def __reduce__(self) -> tuple[type[_Elsewhere], tuple[Callable[[], Preparer]]]:
        return _Elsewhere, (self.make,)


@frozen
class _Elsewhere:
    make: Callable[[], Preparer]

    def __call__(self) -> Preparer:
        torch.set_num_threads(1)  # the other cores are for the other workers
        return self.make()
