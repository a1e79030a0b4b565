"""A dataset in one HDF5 file.

/codes     int16 (frames, levels), all utterances in sequence, compressed in blocks
/manifest  one line of JSON for each utterance, as in manifest.jsonl
/places    int64 (utterances, 2): the offset and the frames of each
attribute `info` of the root: JSON, as in dataset.json

The file begins with a user block of 512 bytes that identifies it, which HDF5 readers skip.
https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any, overload

import attrs
import numpy as np

from vall_e.atomic_write import atomic_path, make_folder
from vall_e.damaged_files import damage_as, parse_json
from vall_e.data.dataset.manifest import entry_of, info_of_json, line_of
from vall_e.data.stores.write_checks import Placing, require_new
from vall_e.errors import DataError, UnavailableError
from vall_e.interfaces.store import Entry, Info, Item

MARK = b"vall-e dataset 1\n"
USER_BLOCK = 512
FRAMES = 1024
"""Size of a compressed block: about fourteen seconds at 75 frames per second."""
LINES = 256
"""Lines of the manifest that are read or written together."""


class Hdf5Store:
    """One file instead of three, losslessly compressed."""

    def holds(self, path: Path) -> bool:
        return path.is_file() and _first_bytes(path, len(MARK)) == MARK

    def open(self, path: Path, *, assumed: Info | None = None) -> Hdf5Dataset:
        return Hdf5Dataset(path)

    def write(self, path: Path, info: Info, items: Iterable[Item]) -> Info:
        require_new(path)
        make_folder(path.parent, error=DataError)
        with atomic_path(path, error=DataError) as part:
            with h5py().File(part, "w", userblock_size=USER_BLOCK, libver="latest") as file:
                info = _write(file, info, items)
            with part.open("r+b") as raw:
                raw.write(MARK)
        return info


def _write(file: Any, info: Info, items: Iterable[Item]) -> Info:
    strings = h5py().string_dtype()
    codes = file.create_dataset(
        "codes", (0, info.levels), "<i2", maxshape=(None, info.levels),
        chunks=(FRAMES, info.levels), compression="lzf", shuffle=True,
    )  # fmt: skip
    manifest = file.create_dataset("manifest", (0,), strings, maxshape=(None,), chunks=(LINES,))
    places = file.create_dataset("places", (0, 2), "<i8", maxshape=(None, 2), chunks=(LINES, 2))
    placing = Placing(info)
    for block in _blocks(placing(items)):
        entries = [item.entry for item in block]
        _append(codes, np.concatenate([item.codes.T for item in block]))
        _append(manifest, np.array([line_of(entry).strip() for entry in entries], object))
        _append(places, np.array([(entry.offset, entry.frames) for entry in entries]))
    file.attrs["info"] = json.dumps(attrs.asdict(placing.counted))
    return placing.counted


def _blocks(items: Iterable[Item]) -> Iterator[list[Item]]:
    block: list[Item] = []
    for item in items:
        block.append(item)
        if len(block) == LINES:
            yield block
            block = []
    if block:
        yield block


def _append(dataset: Any, rows: np.ndarray) -> None:
    dataset.resize(len(dataset) + len(rows), axis=0)
    dataset[-len(rows) :] = rows


class Hdf5Dataset:
    """An HDF5 file, opened separately in each process. Raises `DataError` if it is damaged."""

    def __init__(self, path: Path) -> None:
        self.folder = path
        self._file: Any = None
        self._process = 0
        with reading_hdf5(path):
            self.info = info_of_json(parse_json(self.file.attrs["info"]), path)
            self.entries = Hdf5Entries(self)
            shape, end = self.file["codes"].shape, self.entries.frames
            if len(self.entries) != self.info.utterances or shape != (end, self.info.levels):
                raise ValueError("its parts do not fit together")

    @property
    def file(self) -> Any:
        """Not shared with forked processes: they would move each other's position in the file."""
        if self._file is None or self._process != os.getpid():
            with reading_hdf5(self.folder):
                self._file = h5py().File(self.folder, "r")
            self._process = os.getpid()
        return self._file

    def codes(self, entry: Entry, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Frames `start` to `stop` of an entry: a new int64 array of (levels, frames)."""
        stop = entry.frames if stop is None else min(stop, entry.frames)
        with reading_hdf5(self.folder):
            frames = self.file["codes"][entry.offset + start : entry.offset + stop]
            return np.ascontiguousarray(frames.T).astype(np.int64)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}


class Hdf5Entries(Sequence[Entry]):
    """The lines of the file's manifest, read when requested."""

    def __init__(self, dataset: Hdf5Dataset) -> None:
        self.dataset = dataset
        self._length = len(dataset.file["manifest"])

    @property
    def frames(self) -> int:
        places = self.dataset.file["places"]
        return int(sum(places[-1])) if len(places) else 0

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> list[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | list[Entry]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(f"{place} of {len(self)}")
        with reading_hdf5(self.dataset.folder):
            line = self.dataset.file["manifest"][place % len(self)]
            return entry_of(line, self.dataset.folder)

    def __iter__(self) -> Iterator[Entry]:
        for start in range(0, len(self), LINES):
            with reading_hdf5(self.dataset.folder):
                lines = self.dataset.file["manifest"][start : start + LINES]
                entries = [entry_of(line, self.dataset.folder) for line in lines]
            yield from entries


def h5py() -> Any:
    """The package, or `UnavailableError` if it is not installed."""
    try:
        return import_module("h5py")
    except ImportError as exc:
        raise UnavailableError(
            "HDF5 files need the package h5py", hint="pip install 'vall-e[hdf5]'"
        ) from exc


def reading_hdf5(path: Path) -> AbstractContextManager[None]:
    """Whatever h5py raises at a damaged file becomes a `DataError` that names it."""
    hint = "copy it or convert to it again"
    return damage_as(DataError, path, what="is a damaged HDF5 file", hint=hint)


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)
