"""Recordings to fit and train on: lists of files, decoded once, kept as 16-bit blobs."""

from __future__ import annotations

import csv
import hashlib
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr
from attrs import frozen

from vall_e.plugin import DataError

log = logging.getLogger(__name__)


@frozen(eq=False)
class Recordings:
    """One list's audio, end to end in one array; recording i is `samples[ends[i-1]:ends[i]]`."""

    name: str
    samples: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, i: int) -> np.ndarray:
        """Float samples in [-1, 1]."""
        return self.part(i, 0, self.length(i))

    def length(self, i: int) -> int:
        return int(self.ends[i] - self._start(i))

    def part(self, i: int, first: int, last: int) -> np.ndarray:
        """Float samples `first` to `last` of recording i."""
        start = self._start(i)
        found: np.ndarray = self.samples[start + first : start + last].astype(np.float32)
        return found / 32768

    def _start(self, i: int) -> int:
        return int(self.ends[i - 1]) if i else 0


def read_lists(lists: Iterable[Path], sample_rate: int, cache: Path) -> list[Recordings]:
    """The recordings of each list, from the cache where the list is unchanged."""
    cache.mkdir(parents=True, exist_ok=True)
    return [_read_list(path, sample_rate, cache) for path in lists]


def paths_of(path: Path) -> list[Path]:
    """The audio files that a list names in its `path` column, relative to the list's folder."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if "path" not in (rows.fieldnames or ()):
            raise DataError(
                f"{path} has no column `path`",
                hint="give a tab-separated list with a header line; one column names the files",
            )
        return [path.parent / row["path"] for row in rows]


def read_mono(path: Path, sample_rate: int) -> np.ndarray:
    """Float samples of a recording: the mean of its channels, resampled."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as exc:
        raise DataError(
            f"cannot read {path}: {exc}", hint="give an audio file that is whole, such as a WAV"
        ) from exc
    mono: np.ndarray = soxr.resample(samples.mean(1), rate, sample_rate)
    return mono


def write_mono(path: Path, samples: np.ndarray, sample_rate: int) -> None:
    """Write a recording, whole or not at all; the suffix says the format."""
    kind = path.suffix[1:].upper()
    if kind not in soundfile.available_formats():
        raise DataError(
            f"{path}: no audio format has the suffix {path.suffix!r}", hint="write a .wav or .flac"
        )
    part = path.with_name(path.name + ".part")
    soundfile.write(part, samples, sample_rate, format=kind)
    os.replace(part, path)


def _read_list(path: Path, sample_rate: int, cache: Path) -> Recordings:
    files = paths_of(path)
    if not files:
        raise DataError(f"{path} lists no recordings", hint="leave the list out, or fill it")
    key = hashlib.sha256(f"{sample_rate}\n".encode() + path.read_bytes()).hexdigest()[:16]
    blob, ends = cache / f"{key}.npy", cache / f"{key}.ends.npy"
    if not ends.exists():
        log.info("decoding %d recordings of %s", len(files), path)
        clips = [_as_int16(read_mono(file, sample_rate)) for file in files]
        _save(blob, np.concatenate(clips))
        _save(ends, np.cumsum([len(clip) for clip in clips]))
    return Recordings(path.parent.name, np.load(blob, mmap_mode="r"), np.load(ends))


def _as_int16(samples: np.ndarray) -> np.ndarray:
    rounded: np.ndarray = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)
    return rounded


def _save(path: Path, array: np.ndarray) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.save(file, array)
    os.replace(part, path)


def balanced_shares(sizes: Sequence[int], total: int) -> list[int]:
    """How much to take of each source so that all give the same, as far as they have it."""
    shares = [0] * len(sizes)
    order = sorted(range(len(sizes)), key=lambda i: sizes[i])
    for done, i in enumerate(order):
        shares[i] = min(sizes[i], (total - sum(shares)) // (len(sizes) - done))
    return shares
