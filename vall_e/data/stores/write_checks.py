"""Shared checks and steps of all stores before they write."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve

from vall_e.atomic_write import make_folder
from vall_e.errors import DataError
from vall_e.interfaces.store import Info, Item


def require_new(path: Path) -> None:
    """Raise `DataError` if something exists there."""
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise DataError(f"{path} already exists", hint="give a new path, or delete it first")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to write to, which becomes `path` at the end; on failure, nothing is left."""
    require_new(path)
    part = path.with_name(f"{path.name[:48]}.{os.getpid()}.part")
    make_folder(part, error=DataError)
    try:
        yield part
        if path.is_dir():
            path.rmdir()  # it is empty
        os.replace(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


class Placing:
    """Counts offsets from the first item on, and collects what `info` says about all of them."""

    def __init__(self, info: Info) -> None:
        self.info = info
        self.frames = 0
        self.seconds = 0.0
        self.ids: set[str] = set()
        self.speakers: set[str] = set()

    def __call__(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items with their offsets; invalid ones are refused by name."""
        for item in items:
            frames = self._fitting(item)
            entry = evolve(item.entry, offset=self.frames, frames=frames)
            self.ids.add(entry.id)
            self.speakers.add(entry.speaker)
            self.frames += frames
            self.seconds += entry.seconds
            yield Item(entry, item.codes)

    @property
    def counted(self) -> Info:
        """The description of a complete dataset with the items so far."""
        return evolve(
            self.info,
            complete=True,
            utterances=len(self.ids),
            speakers=len(self.speakers),
            seconds=round(self.seconds, 3),
        )

    def _fitting(self, item: Item) -> int:
        name = item.entry.id
        levels, frames = (int(size) for size in item.codes.shape)
        if levels != self.info.levels or not frames:
            raise DataError(
                f"{name!r} has {levels} levels and {frames} frames, but the dataset "
                f"{self.info.levels} levels",
                hint="leave it out, or convert with the codec that made it",
            )
        if name in self.ids:
            raise DataError(f"two utterances have the id {name!r}", hint="rename one of them")
        return frames
