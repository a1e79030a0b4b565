"""Data of e-c-k-e-r/vall-e, read-only. No code inside a file is ever run.

A folder of files {group}/{speaker}/{id}.enc (or .dac, .dec, .nem), one for each utterance. Missing
facts are looked up in {group}/{speaker}.json of a folder `metadata` next to or inside it. Or
`data.h5`, with an HDF5 group {split}/{group}/{speaker}/{id} for each utterance.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from attrs import evolve, frozen

from vall_e.audio.ecker_codes import EckerCodes, is_ecker
from vall_e.damaged_files import damage_as, parse_json
from vall_e.data.stores.hdf5 import h5py
from vall_e.errors import DataError, VallEError
from vall_e.interfaces.store import Entry, Info, Item, Stored

SWITCH = re.compile(r"\([a-z]{2,3}(-[a-z0-9-]+)?\)")
"""Where espeak-ng marks a change to another language."""
FILE = "data.h5"
HDF5 = b"\x89HDF\r\n\x1a\n"
DEPTH = 4  # how many levels of folders are searched for files, at most

log = logging.getLogger(__name__)


@frozen
class EckerStore:
    """Reads their folders and HDF5 files. They do not name their codec: `assumed` does."""

    split: str
    bad_files: Literal["error", "skip"] = "error"

    def lenient(self) -> EckerStore:
        return evolve(self, bad_files="skip")

    def holds(self, path: Path) -> bool:
        if path.is_dir():
            return not (path / "dataset.json").exists() and (
                (path / FILE).is_file() or any(_files(path))
            )
        return path.suffix == ".h5" and _begins(path, HDF5)

    def open(self, path: Path, *, assumed: Info | None = None) -> Stored:
        if assumed is None:
            raise DataError(
                f"{path} does not say which codec made it",
                hint="give a configuration with that codec: -c run.yaml",
            )
        file = path / FILE if (path / FILE).is_file() else path
        if file.is_file():
            return EckerHdf5(file, self.split, assumed, self.bad_files)
        return EckerFiles(path, assumed, self.bad_files)

    def write(self, path: Path, info: Info, items: Iterable[Item]) -> Info:
        raise DataError(
            "data of e-c-k-e-r/vall-e can only be read",
            hint="convert to folder, hdf5 or webdataset",
        )


class _Listed:
    """A dataset whose utterances are listed when it is opened."""

    def __init__(self, folder: Path, entries: Sequence[Entry], assumed: Info) -> None:
        if not entries:
            raise DataError(
                f"{folder} contains no utterances", hint="give the folder of their data"
            )
        self.folder = folder
        self.entries = entries
        self.info = Info(
            codec=assumed.codec,
            frame_rate=assumed.frame_rate,
            sample_rate=assumed.sample_rate,
            levels=assumed.levels,
            codebook_size=assumed.codebook_size,
            phonemizer=assumed.phonemizer,
            complete=True,
            utterances=len(entries),
            speakers=len({entry.speaker for entry in entries}),
            seconds=round(sum(entry.seconds for entry in entries), 3),
        )

    def _checked(self, codes: np.ndarray, entry: Entry) -> np.ndarray:
        if len(codes) < self.info.levels or (codes.size and codes.max() >= self.info.codebook_size):
            raise DataError(
                f"{entry.id!r} of {self.folder} is not from the codec {self.info.codec}: it has "
                f"{len(codes)} levels, and codes up to {codes.max(initial=0)}",
                hint="give the codec that made it: -c run.yaml",
            )
        return codes[: self.info.levels]


class EckerFiles(_Listed):
    """A folder with one file for each utterance, which is read for the list and for its codes."""

    def __init__(self, folder: Path, assumed: Info, bad_files: Literal["error", "skip"]) -> None:
        self.paths: list[Path] = []
        self.left_out: dict[str, str] = {}
        entries: list[Entry] = []
        offset = 0
        for path in sorted(_files(folder)):
            try:
                entry = _entry_of(path, folder, offset, assumed)
            except VallEError as exc:
                if bad_files == "error":
                    raise
                self.left_out[str(path)] = exc.message
                log.warning("left out: %s", exc.message)
                continue
            entries.append(entry)
            self.paths.append(path)
            offset += entry.frames
        super().__init__(folder, entries, assumed)
        self._offsets = np.array([entry.offset for entry in entries])

    def codes(self, entry: Entry, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Frames `start` to `stop` of an entry: a new int64 array of (levels, frames)."""
        path = self.paths[int(np.searchsorted(self._offsets, entry.offset))]
        codes = self._checked(EckerCodes.load(path).values, entry)
        return codes[:, start:stop].astype(np.int64)


def _entry_of(path: Path, folder: Path, offset: int, assumed: Info) -> Entry:
    ecker = EckerCodes.load(path)
    frames = ecker.values.shape[1]
    if ecker.family != assumed.codec.partition("-")[0]:
        raise DataError(
            f"{path} has codes of {ecker.family}, but the codec is {assumed.codec}",
            hint="give the codec that made it: -c run.yaml",
        )
    if len(ecker.values) < assumed.levels or not frames:
        raise DataError(
            f"{path} has {len(ecker.values)} levels and {frames} frames, but the codec has "
            f"{assumed.levels} levels",
            hint=f"set codec.levels={len(ecker.values)}" if frames else "remove it",
        )
    place = path.relative_to(folder).with_suffix("")
    facts = {**_metadata(folder, path), **ecker.facts}
    seconds = frames / assumed.frame_rate
    told = ecker.seconds
    if told is not None and abs(told - seconds) > max(0.2, 0.02 * told):
        raise DataError(
            f"{path} claims {told:.2f} s, but its codes last {seconds:.2f} s at "
            f"{assumed.frame_rate:g} frames per second",
            hint="give the codec that made it, with its sample rate: -c run.yaml",
        )
    return _entry(place.as_posix(), place.parent.as_posix(), facts, told or seconds, offset, frames)


def _entry(
    name: str, speaker: str, facts: Mapping[str, Any], seconds: float, offset: int, frames: int
) -> Entry:
    phonemes = facts.get("phonemes") or ""
    return Entry(
        id=name,
        speaker=speaker,
        language=str(facts.get("language") or "en"),
        text=str(facts.get("text") or ""),
        phonemes=SWITCH.sub("", phonemes if isinstance(phonemes, str) else "".join(phonemes)),
        seconds=round(seconds, 4),
        offset=offset,
        frames=frames,
    )


def _metadata(folder: Path, path: Path) -> Mapping[str, Any]:
    """The entry of {group}/{speaker}.json for the file; empty if there is no such file."""
    speaker = path.parent.relative_to(folder)
    for root in (folder / "metadata", folder.parent / "metadata"):
        table = root / (f"{speaker}.json" if speaker.name else "metadata.json")
        if table.is_file():
            found = _table(table).get(path.stem, {})
            return found if isinstance(found, dict) else {}
    return {}


@lru_cache(maxsize=8)
def _table(path: Path) -> Mapping[str, Any]:
    with damage_as(DataError, path, hint="make it again"):
        found = parse_json(path.read_bytes())
    return found if isinstance(found, dict) else {}


class EckerHdf5(_Listed):
    """Their `data.h5`, opened for each read."""

    def __init__(
        self, path: Path, split: str, assumed: Info, bad_files: Literal["error", "skip"]
    ) -> None:
        self.left_out: dict[str, str] = {}
        with reading_hdf5(path), h5py().File(path, "r") as file:
            entries = list(self._listed(file, split, assumed, bad_files))
        super().__init__(path, entries, assumed)
        self.split = split

    def _listed(
        self, file: Any, split: str, assumed: Info, bad_files: Literal["error", "skip"]
    ) -> Iterator[Entry]:
        symbols = {i: symbol for symbol, i in parse_json(file.attrs.get("symmap", "{}")).items()}
        offset = 0
        for whose, name, found in _groups_of(file, split):
            try:
                with reading_hdf5(file.filename, f"{whose}/{name}"):
                    entry = _entry_in(found, whose, name, offset, symbols, assumed)
            except DataError as error:
                if bad_files == "error":
                    raise
                self.left_out[f"{whose}/{name}"] = error.message
                log.warning("left out: %s", error.message)
                continue
            yield entry
            offset += entry.frames

    def codes(self, entry: Entry, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Frames `start` to `stop` of an entry: a new int64 array of (levels, frames)."""
        with reading_hdf5(self.folder, entry.id):
            with h5py().File(self.folder, "r") as file:
                frames = file[f"{self.split}/{entry.id}/audio"][start:stop]
            return self._checked(np.ascontiguousarray(frames.T).astype(np.int64), entry)


def _groups_of(file: Any, split: str) -> Iterator[tuple[str, str, Any]]:
    """The speaker, the name and the HDF5 group of each utterance."""
    for group, speakers in file.get(split, {}).items():
        for speaker, utterances in speakers.items():
            for name, found in utterances.items():
                yield f"{group}/{speaker}", name, found


def _entry_in(
    found: Any, whose: str, name: str, offset: int, symbols: Mapping[int, str], assumed: Info
) -> Entry:
    frames = len(found["audio"])
    facts = {key: _plain(value) for key, value in found.attrs.items()}
    if "phonemes" not in facts and "text" in found:
        facts["phonemes"] = "".join(symbols.get(int(i), "") for i in found["text"])
    return _entry(f"{whose}/{name}", whose, facts, frames / assumed.frame_rate, offset, frames)


def _plain(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


def _files(folder: Path) -> Iterator[Path]:
    for depth in range(DEPTH):
        pattern = "/".join(["*"] * (depth + 1))
        yield from (path for path in folder.glob(pattern) if is_ecker(path))


def _begins(path: Path, mark: bytes) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def reading_hdf5(path: Path | str, item: str = "") -> AbstractContextManager[None]:
    """Whatever h5py raises at a damaged file becomes a `DataError` that names it."""
    of = f" at {item!r}" if item else ""
    return damage_as(DataError, path, what=f"is damaged{of}", hint="copy it or make it again")
