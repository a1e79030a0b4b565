"""A dataset as WebDataset shards: tar files with pairs of members.

000000012.json   an entry, as a line of manifest.jsonl
000000012.npy    its codes: int16 (levels, frames), as numpy.save writes it

They can be read from start to end, even from a pipe (`read_shard`), with any program that supports
WebDataset. Next to the shards are dataset.json, manifest.jsonl, and places.npy: the shard and
position of each utterance's codes. With these, any utterance can be read directly.
https://github.com/webdataset/webdataset
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from attrs import frozen

from vall_e.damaged_files import damage_as, reason
from vall_e.data.dataset.folder import finished, require_all
from vall_e.data.dataset.manifest import INFO, MANIFEST, entry_of, line_of, write_info
from vall_e.data.dataset.manifest_lines import Entries
from vall_e.data.stores.write_checks import Placing, new_folder
from vall_e.errors import DataError, VallEError
from vall_e.interfaces.store import Entry, Info, Item

PLACES = "places.npy"
SHARD = "shard-{:06d}.tar"


@frozen
class WebDatasetStore:
    """Shards of many utterances, for disks and networks that are slow with small files."""

    shard_bytes: int

    def holds(self, path: Path) -> bool:
        return (path / INFO).is_file() and any(
            (path / name).is_file() for name in (PLACES, SHARD.format(0))
        )

    def open(self, path: Path, *, assumed: Info | None = None) -> Shards:
        return Shards(path)

    def write(self, path: Path, info: Info, items: Iterable[Item]) -> Info:
        placing = Placing(info)
        with (
            new_folder(path) as folder,
            (folder / MANIFEST).open("wb") as manifest,
            _Places(folder / PLACES) as places,
            _Writer(folder, self.shard_bytes) as writer,
        ):
            for number, item in enumerate(placing(items)):
                places.add(writer.add(number, item))
                manifest.write(line_of(item.entry).encode())
            write_info(folder, placing.counted)
        return placing.counted


class _Writer:
    """Fills one shard after another. The same items give the same bytes."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self.shard = -1
        self.tar: tarfile.TarFile | None = None

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self.tar:
            self.tar.close()

    def add(self, number: int, item: Item) -> tuple[int, int, int]:
        """The shard, and the first byte and the length of the item's codes in it."""
        tar = self._open()
        out = BytesIO()
        np.save(out, item.codes.astype("<i2"))
        _member(tar, f"{number:09d}.json", line_of(item.entry).encode())
        start = tar.offset + tarfile.BLOCKSIZE
        _member(tar, f"{number:09d}.npy", out.getvalue())
        return self.shard, start, len(out.getvalue())

    def _open(self) -> tarfile.TarFile:
        if self.tar and self.tar.offset < self.limit:
            return self.tar
        if self.tar:
            self.tar.close()
        self.shard += 1
        path = self.folder / SHARD.format(self.shard)
        self.tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 (__exit__)
        return self.tar


def _member(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, BytesIO(content))


class _Places:
    """Rows of (shard, start, length), written immediately."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[tuple[int, int, int]] = []

    def __enter__(self) -> _Places:
        return self

    def add(self, row: tuple[int, int, int]) -> None:
        self.rows.append(row)

    def __exit__(self, *_: object) -> None:
        np.save(self.path, np.array(self.rows, "<i8").reshape(-1, 3))


class Shards:
    """Shards on a disk, with access to any utterance. Files are opened for each read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.info = finished(folder)
        self.entries = Entries(folder)
        require_all(self.entries, self.info, folder, again="convert to it again")
        self._places: np.ndarray | None = None
        if len(self.places) != len(self.entries):
            raise _damaged(folder / PLACES)

    @property
    def places(self) -> np.ndarray:
        if self._places is None:
            with reading_shards(self.folder / PLACES):
                places = np.load(self.folder / PLACES, mmap_mode="r")
                if places.dtype.kind != "i" or places.ndim != 2 or places.shape[1] != 3:
                    raise ValueError(f"it is {places.dtype} {places.shape}")
                self._places = places
        return self._places

    def codes(self, entry: Entry, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Frames `start` to `stop` of an entry: a new int64 array of (levels, frames)."""
        place = int(np.searchsorted(self.entries.rows["offset"], entry.offset))
        shard, first, length = (int(value) for value in self.places[place])
        path = self.folder / SHARD.format(shard)
        with reading_shards(path, entry.id):
            with path.open("rb") as file:
                content = os.pread(file.fileno(), length, first)
            codes = _codes_in(content)
        if codes.shape != (self.info.levels, entry.frames):
            raise _damaged(path, entry.id)
        return codes[:, start:stop].astype(np.int64)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_places": None}


def read_shard(file: IO[bytes], *, name: str) -> Iterator[Item]:
    """The utterances of a shard one by one, from a file or a pipe: it is never read backwards.

    Raises `DataError` for a damaged shard; `name` is its name in the message.
    """
    last = "its beginning"
    try:
        with tarfile.open(fileobj=file, mode="r|") as tar:
            entry: Entry | None = None
            for member in tar:
                content = tar.extractfile(member)
                if content is None:
                    continue
                if member.name.endswith(".json"):
                    entry = entry_of(content.read(), Path(name))
                elif member.name.endswith(".npy") and entry is not None:
                    yield Item(entry, _codes_in(content.read()))
                    last, entry = repr(entry.id), None
    except VallEError:
        raise
    except Exception as exc:
        raise DataError(
            f"{name} is damaged after {last}: {reason(exc)}", hint="copy it or convert to it again"
        ) from exc


def _codes_in(content: bytes) -> np.ndarray:
    codes: np.ndarray = np.load(BytesIO(content), allow_pickle=False)
    if codes.ndim != 2 or codes.dtype != np.int16:
        raise ValueError(f"these are not codes: {codes.dtype} {codes.shape}")
    return codes


def reading_shards(path: Path, item: str = "") -> AbstractContextManager[None]:
    """Whatever a damaged file of these raises becomes a `DataError` that names it."""
    of = f": the codes of {item!r} are missing" if item else ""
    hint = "copy it or convert to it again"
    return damage_as(DataError, path, what=f"is damaged{of}", hint=hint)


def _damaged(path: Path, item: str = "") -> DataError:
    of = f": the codes of {item!r} are missing" if item else ""
    return DataError(f"{path} is damaged{of}", hint="copy it or convert to it again")
