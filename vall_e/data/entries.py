"""The lines of a manifest, read one by one when asked for.

Beside a large manifest lies an index of where each line starts, made at the first opening. So a
manifest of millions of lines opens at once, and takes no memory to speak of.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, overload

import numpy as np

from vall_e.data.manifest import MANIFEST, entry_of
from vall_e.storing import Entry

INDEX = "manifest.index"
MAGIC = b"VEINDEX1"
HEAD = np.dtype([("magic", "S8"), ("size", "<i8"), ("changed", "<i8")])
"""The manifest that it was made of: its size, and when it was last changed, in nanoseconds."""
ROW = np.dtype([("start", "<i8"), ("end", "<i8"), ("offset", "<i8"), ("frames", "<i8")])
SMALL = 1 << 24  # bytes of a manifest that is read through in a moment, so it gets no index
BLOCK = 1 << 16  # lines that are gathered before they are written

log = logging.getLogger(__name__)


class Entries(Sequence[Entry]):
    """All complete lines of `folder`'s manifest; the last one is left out if it has no end.

    Raises `DataError` for a manifest that is damaged: when the index is made of it, or when the
    line is read.
    """

    def __init__(self, folder: Path, *, small: int = SMALL) -> None:
        self.path = folder / MANIFEST
        self.small = small
        self._rows: np.ndarray | None = None
        self._bytes: np.ndarray | None = None
        self._length = len(self.rows)

    @property
    def rows(self) -> np.ndarray:
        """Of each line where it starts and ends, and where its codes do. Mapped from disk."""
        if self._rows is None:
            self._rows = _indexed(self.path, self.small)
        return self._rows

    @property
    def frames(self) -> int:
        """All frames up to the last that any line names."""
        ends = self.rows["offset"] + self.rows["frames"]
        return int(ends.max()) if len(ends) else 0

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> list[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | list[Entry]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        row = self.rows[place]
        if self._bytes is None:
            self._bytes = np.memmap(self.path, dtype=np.uint8, mode="r")
        return entry_of(self._bytes[row["start"] : row["end"]].tobytes(), self.path)

    def __iter__(self) -> Iterator[Entry]:
        with self.path.open("rb") as file:
            for line in islice(file, len(self)):
                yield entry_of(line, self.path)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_rows": None, "_bytes": None}  # each process maps the files


def _indexed(path: Path, small: int) -> np.ndarray:
    """The rows of the index, which is made where there is none of this manifest."""
    if not path.exists():
        return np.empty(0, ROW)
    index = path.with_name(INDEX)
    stat = path.stat()
    if stat.st_size < small:
        return _rows(path)
    head = np.array((MAGIC, stat.st_size, stat.st_mtime_ns), HEAD)
    if not _is_of(index, head):
        try:
            _make(path, index, head)
        except OSError as exc:
            log.debug("%s cannot be written: %s", index, exc)
            return _rows(path)
    if index.stat().st_size == HEAD.itemsize:
        return np.empty(0, ROW)
    return np.memmap(index, dtype=ROW, mode="r", offset=HEAD.itemsize)


def _rows(path: Path) -> np.ndarray:
    return np.concatenate([np.empty(0, ROW), *_blocks(path)])


def _is_of(index: Path, head: np.ndarray) -> bool:
    try:
        with index.open("rb") as file:
            return file.read(HEAD.itemsize) == head.tobytes()
    except OSError:
        return False


def _make(path: Path, index: Path, head: np.ndarray) -> None:
    part = index.with_name(f"{index.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(head.tobytes())
            for block in _blocks(path):
                file.write(block.tobytes())
        os.replace(part, index)
    finally:
        part.unlink(missing_ok=True)


def _blocks(path: Path) -> Iterator[np.ndarray]:
    """Rows of the index, many at a time."""
    start = 0
    with path.open("rb") as file:
        while lines := [line for line in islice(file, BLOCK) if line.endswith(b"\n")]:
            rows = np.empty(len(lines), ROW)
            for i, line in enumerate(lines):
                entry = entry_of(line, path)
                rows[i] = (start, start + len(line), entry.offset, entry.frames)
                start += len(line)
            yield rows
