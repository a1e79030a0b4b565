"""The lines of a manifest, read one by one when requested.

An index next to a large manifest has the start of each line; it is created when first opened. So
a manifest of millions of lines opens immediately, and takes almost no memory.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, overload

import numpy as np

from vall_e.data.dataset.manifest import MANIFEST, entry_of
from vall_e.interfaces.store import Entry

INDEX = "manifest.index"
MAGIC = b"VEINDEX2"
HEAD = np.dtype([("magic", "S8"), ("size", "<i8"), ("changed", "<i8"), ("frames", "<i8")])
"""The manifest it was made from: size and modification time in nanoseconds. And all
frames up to the last that any line names."""
ROW = np.dtype([("start", "<i8"), ("end", "<i8"), ("offset", "<i8"), ("frames", "<i8")])
SMALL = 1 << 24  # bytes of a manifest that is read quickly, so it needs no index
BLOCK = 1 << 16  # lines that are collected before they are written
PLACE = re.compile(rb'"offset": (\d{1,15}), "frames": (\d{1,15})[^\n]*\n')
"""In a line written by `line_of`. In a text, the quotation marks would have backslashes."""

log = logging.getLogger(__name__)


class Entries(Sequence[Entry]):
    """All complete lines of `folder`'s manifest; an incomplete last one is left out.

    Raises `DataError` for a damaged manifest: immediately if it is small, otherwise when the index
    is created, or when the line is read.
    """

    def __init__(self, folder: Path, *, small: int = SMALL) -> None:
        self.path = folder / MANIFEST
        self.small = small
        self._rows: np.ndarray | None = None
        self._bytes: np.ndarray | None = None
        self._frames = 0
        self._length = len(self.rows)

    @property
    def rows(self) -> np.ndarray:
        """Start and end of each line, and the end of its codes. Memory-mapped."""
        if self._rows is None:
            self._rows, self._frames = _indexed(self.path, self.small)
        return self._rows

    @property
    def frames(self) -> int:
        """All frames up to the last that any line names."""
        return self._frames

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


def _frames_of(rows: np.ndarray) -> int:
    return int((rows["offset"] + rows["frames"]).max()) if len(rows) else 0


def _indexed(path: Path, small: int) -> tuple[np.ndarray, int]:
    """The rows of the index, created if this manifest has none; and the number of frames."""
    if not path.exists():
        return np.empty(0, ROW), 0
    stat = path.stat()
    if stat.st_size < small:
        return _counted(_read(path))
    index = path.with_name(INDEX)
    head = np.array((MAGIC, stat.st_size, stat.st_mtime_ns, 0), HEAD)
    frames = _frames_in(index, head)
    if frames is None:
        try:
            frames = _make(path, index, head)
        except OSError as exc:
            log.debug("%s cannot be written: %s", index, exc)
            return _counted(_quickly(path))
    if index.stat().st_size == HEAD.itemsize:
        return np.empty(0, ROW), 0
    return np.memmap(index, dtype=ROW, mode="r", offset=HEAD.itemsize), frames


def _counted(blocks: Iterable[np.ndarray]) -> tuple[np.ndarray, int]:
    rows = np.concatenate([np.empty(0, ROW), *blocks])
    return rows, _frames_of(rows)


def _frames_in(index: Path, head: np.ndarray) -> int | None:
    """The head of the index, if it belongs to this manifest."""
    try:
        with index.open("rb") as file:
            found = file.read(HEAD.itemsize)
    except OSError:
        return None
    same = len(found) == HEAD.itemsize and found[:-8] == head.tobytes()[:-8]
    return int(np.frombuffer(found, HEAD)["frames"][0]) if same else None


def _make(path: Path, index: Path, head: np.ndarray) -> int:
    part = index.with_name(f"{index.name}.{os.getpid()}.part")
    frames = 0
    try:
        with part.open("wb") as file:
            file.write(head.tobytes())
            for block in _quickly(path):
                file.write(block.tobytes())
                frames = max(frames, _frames_of(block))
            head["frames"] = frames
            file.seek(0)
            file.write(head.tobytes())
        os.replace(part, index)
    finally:
        part.unlink(missing_ok=True)
    return frames


def _read(path: Path) -> Iterator[np.ndarray]:
    """Rows of the index, in large blocks. Every line is read: a damaged one is refused."""
    start = 0
    for lines in _lines(path):
        yield _rows(lines, start, path)
        start += sum(map(len, lines))


def _quickly(path: Path) -> Iterator[np.ndarray]:
    """Rows of the index, reading only the positions in lines that have our own format.

    Other lines are read completely.
    """
    start = 0
    for lines in _lines(path):
        block = b"".join(lines)
        found = [(*map(int, match.groups()), match.end()) for match in PLACE.finditer(block)]
        ends = np.cumsum([len(line) for line in lines])
        places = np.array(found, np.int64).reshape(-1, 3)
        if np.array_equal(places[:, 2], ends):
            yield _table(ends, places[:, 0], places[:, 1], start)
        else:
            yield _rows(lines, start, path)
        start += len(block)


def _rows(lines: Sequence[bytes], start: int, path: Path) -> np.ndarray:
    entries = [entry_of(line, path) for line in lines]
    places = np.array([(entry.offset, entry.frames) for entry in entries], np.int64)
    return _table(np.cumsum([len(line) for line in lines]), places[:, 0], places[:, 1], start)


def _table(ends: np.ndarray, offsets: np.ndarray, frames: np.ndarray, start: int) -> np.ndarray:
    rows = np.empty(len(ends), ROW)
    rows["end"] = ends + start
    rows["start"][0], rows["start"][1:] = start, rows["end"][:-1]
    rows["offset"], rows["frames"] = offsets, frames
    return rows


def _lines(path: Path) -> Iterator[list[bytes]]:
    """The complete lines, in large blocks."""
    with path.open("rb") as file:
        while lines := [line for line in islice(file, BLOCK) if line.endswith(b"\n")]:
            yield lines
