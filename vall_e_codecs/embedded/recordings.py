"""Recordings to fit and train on: lists of files, decoded once, cached as 16-bit blobs."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr
from attrs import asdict, frozen
from jaxtyping import Float, Int, Int16

from vall_e.plugin import DataError, damage_as, write_atomically

log = logging.getLogger(__name__)


@frozen
class UnusableRecording:
    """A recording that cannot be used."""

    path: str
    reason: str


@frozen(eq=False)
class Recordings:
    """One list's audio, end to end in one array; recording i is `samples[ends[i-1]:ends[i]]`."""

    name: str
    samples: Int16[np.ndarray, " s"]
    ends: Int[np.ndarray, " n"]
    rates: Int[np.ndarray, " n"]
    """Hz that each was recorded at: nothing lies above half of it."""
    skipped: tuple[UnusableRecording, ...] = ()

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, i: int) -> Float[np.ndarray, " s"]:
        """Float samples in [-1, 1]."""
        return self.part(i, 0, self.length(i))

    def length(self, i: int) -> int:
        return int(self.ends[i] - self._start(i))

    def part(self, i: int, first: int, last: int) -> Float[np.ndarray, " s"]:
        """Float samples `first` to `last` of recording i."""
        start = self._start(i)
        found: np.ndarray = self.samples[start + first : start + last].astype(np.float32)
        return found / 32768

    def _start(self, i: int) -> int:
        return int(self.ends[i - 1]) if i else 0


def read_lists(lists: Iterable[Path], sample_rate: int, cache: Path) -> list[Recordings]:
    """The recordings of each list, from the cache if list and recordings are unchanged.

    A recording that cannot be used is left out and noted in `skipped`; a list without any usable
    recording is a `DataError`.
    """
    cache.mkdir(parents=True, exist_ok=True)
    return [_read_list(path, sample_rate, cache) for path in lists]


def paths_of(path: Path) -> list[Path]:
    """The audio files that a list names in its `path` column, relative to the list's folder."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if "path" not in (rows.fieldnames or ()):
            raise DataError(
                f"{path} has no column `path`",
                hint="use a tab-separated list with a header line; one column names the files",
            )
        return [path.parent / row["path"] for row in rows]


def read_mono(path: Path, sample_rate: int) -> Float[np.ndarray, " s"]:
    """Float samples of a recording: the mean of its channels, resampled."""
    hint = "use an undamaged audio file, such as a WAV"
    with damage_as(DataError, path, what="cannot be read", hint=hint):
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if not samples.size or not np.isfinite(samples).all():
        raise DataError(
            f"{path} has {'NaN or infinite samples' if samples.size else 'no samples'}",
            hint="record it again, or leave it out",
        )
    mono: np.ndarray = soxr.resample(samples.mean(1), rate, sample_rate)
    return mono


def write_mono(path: Path, samples: Float[np.ndarray, " s"], sample_rate: int) -> None:
    """Write a recording, whole or not at all; the suffix determines the format."""
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
    key = _key(files, sample_rate)
    blob, rates, ends, skipped = (
        cache / f"{key}{end}" for end in (".npy", ".rates.npy", ".ends.npy", ".skipped.json")
    )
    if not ends.exists():
        log.info("decoding %d recordings of %s", len(files), path)
        clips, clip_rates, left_out = _decoded(files, sample_rate)
        if not clips:
            raise DataError(
                f"none of the {len(files)} recordings of {path} can be used: {left_out[0].reason}",
                hint="check the column `path`, which is relative to the list's folder",
            )
        _save(blob, np.concatenate(clips))
        noted_bytes = json.dumps([asdict(item) for item in left_out]).encode()
        write_atomically(skipped, noted_bytes, error=DataError)
        _save(rates, np.array(clip_rates))
        _save(ends, np.cumsum([len(clip) for clip in clips]))  # last: marks the cache as complete
    noted = tuple(
        UnusableRecording(**item) for item in json.loads(skipped.read_text(encoding="utf-8"))
    )
    samples = np.load(blob, mmap_mode="r")
    return Recordings(path.parent.name, samples, np.load(ends), np.load(rates), noted)


def _key(files: Sequence[Path], sample_rate: int) -> str:
    """Identifies the decoded files and their state: equal lists in two folders have two keys."""
    digest = hashlib.sha256(f"with rates, at {sample_rate}\n".encode())
    for file in files:
        found = file.stat() if file.exists() else None
        state = f"{found.st_mtime_ns} {found.st_size}" if found else "absent"
        digest.update(f"{file.resolve()}\t{state}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def _decoded(
    files: Sequence[Path], sample_rate: int
) -> tuple[list[Int16[np.ndarray, " s"]], list[int], list[UnusableRecording]]:
    clips, rates, skipped = list[np.ndarray](), list[int](), list[UnusableRecording]()
    for file in files:
        try:
            clips.append(_as_int16(read_mono(file, sample_rate)))
            rates.append(soundfile.info(file).samplerate)
        except DataError as exc:
            skipped.append(UnusableRecording(str(file), exc.message))
    return clips, rates, skipped


def _as_int16(samples: Float[np.ndarray, " s"]) -> Int16[np.ndarray, " s"]:
    rounded: np.ndarray = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)
    return rounded


def _save(path: Path, array: np.ndarray) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.save(file, array)
    os.replace(part, path)


def balanced_shares(sizes: Sequence[int], total: int) -> list[int]:
    """How much to take of each source so that all contribute equally, as far as possible."""
    shares = [0] * len(sizes)
    order = sorted(range(len(sizes)), key=lambda i: sizes[i])
    for done, i in enumerate(order):
        shares[i] = min(sizes[i], (total - sum(shares)) // (len(sizes) - done))
    return shares
