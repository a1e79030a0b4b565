"""Samples to the bytes of a wav, flac, ogg, opus or mp3 file."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import soundfile
import soxr
from attrs import frozen

from vall_e.atomic_write import atomic_path
from vall_e.audio.pcm import as_pcm16
from vall_e.errors import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from jaxtyping import Float32

log = logging.getLogger(__name__)


@frozen
class Encoding:
    """Its name for users and in libsndfile, and its allowed sample rates; none: any."""

    name: str
    container: str
    subtype: str
    rates: tuple[int, ...] = ()
    highest: int | None = None
    """Any rate up to this is allowed."""
    most_samples: int | None = None
    """Samples of all channels together, if the format has a limit."""


@frozen
class Note:
    """Text in the metadata of a file."""

    comment: str
    software: str
    """The program that wrote it."""


_MP3_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
ENCODINGS = {
    "wav": Encoding("wav", "WAV", "PCM_16", most_samples=2**31 - 2**10),  # sizes have 32 bits
    "flac": Encoding("flac", "FLAC", "PCM_16"),
    "ogg": Encoding("ogg", "OGG", "VORBIS", highest=192_000),  # libsndfile crashes far above
    "opus": Encoding("opus", "OGG", "OPUS", (8000, 12_000, 16_000, 24_000, 48_000)),
    "mp3": Encoding("mp3", "MP3", "MPEG_LAYER_III", _MP3_RATES),
}
"""By the name that users write, which is the file's suffix."""
BLOCK = 1 << 14
"""Frames in each call: libsndfile's Vorbis encoder overflows the stack with long files."""


def format_of(path: Path) -> str:
    """The format that the suffix names."""
    suffix = path.suffix.lower().removeprefix(".")
    return _known(suffix, f"{path} has no suffix" if not suffix else f"{path} ends in .{suffix}")


def encode(
    samples: Float32[np.ndarray, "*c s"],
    sample_rate: int,
    format: str,  # noqa: A002
    note: Note | None = None,
) -> bytes:
    """The bytes of a file of samples `(s,)` or `(c, s)`; every format has metadata for a note.

    A rate that the format lacks is raised to its next one, or lowered to its highest.
    """
    out = BytesIO()
    write_pieces(out, [samples], sample_rate, encoding_of(format), note)
    return out.getvalue()


def write_recording(
    path: Path, pieces: Iterable[Float32[np.ndarray, "*c s"]], sample_rate: int
) -> float:
    """Like `write_pieces`, to a file, completely or not at all; returns its seconds."""
    encoding = encoding_of(format_of(path))
    with atomic_path(path, error=AudioError) as part, part.open("wb+") as file:
        return write_pieces(file, pieces, sample_rate, encoding)


def encoding_of(format: str) -> Encoding:  # noqa: A002
    """The format with this name. Raises `AudioError`."""
    return ENCODINGS[_known(format, f"{format!r} is not a known audio format")]


def write_pieces(
    target: BinaryIO,
    pieces: Iterable[Float32[np.ndarray, "*c s"]],
    sample_rate: int,
    encoding: Encoding,
    note: Note | None = None,
) -> float:
    """Write one recording in pieces, one after the other; returns its seconds.

    Raises `AudioError`, for example if there are no samples.
    """
    coming = (piece.T.reshape(piece.shape[-1], -1) for piece in pieces if piece.size)
    first = next(coming, None)
    if first is None:
        raise AudioError("there are no samples to write", hint="check where the audio comes from")
    channels, rate = first.shape[1], _rate(encoding, sample_rate)
    if rate != sample_rate:
        log.info("%s does not support %d Hz: written at %d Hz", encoding.name, sample_rate, rate)
    taken = over = 0
    with (
        _errors_as_ours(encoding, channels, rate),
        _opened(target, rate, channels, encoding, note) as file,
    ):
        for frames in _at_rate(chain([first], coming), sample_rate, rate, channels):
            taken += len(frames)
            over += _count_over(frames)
            _require_room(taken * channels, encoding)
            _write(file, frames.clip(-1, 1), encoding)
    if over:
        log.warning("%d samples over full scale are clipped", over)
    return taken / rate


@contextmanager
def _errors_as_ours(encoding: Encoding, channels: int, rate: int) -> Iterator[None]:
    """Turns errors of libsndfile into an `AudioError`."""
    try:
        yield
    except (soundfile.LibsndfileError, ValueError) as exc:
        raise AudioError(
            f"{channels} channels at {rate} Hz cannot be written as "
            f"{encoding.container} {encoding.subtype}: {getattr(exc, 'error_string', exc)}",
            hint="write a wav file",
        ) from exc


def _opened(
    target: BinaryIO, rate: int, channels: int, encoding: Encoding, note: Note | None
) -> soundfile.SoundFile:
    file = soundfile.SoundFile(
        target,
        "w",
        samplerate=rate,
        channels=channels,
        format=encoding.container,
        subtype=encoding.subtype,
    )
    if note:
        file.comment, file.software = note.comment, note.software
    return file


def _at_rate(
    pieces: Iterable[Float32[np.ndarray, "s c"]], sample_rate: int, rate: int, channels: int
) -> Iterator[Float32[np.ndarray, "s c"]]:
    if rate == sample_rate:
        yield from pieces
        return
    stream = soxr.ResampleStream(sample_rate, rate, channels, dtype="float32", quality="HQ")
    for piece in pieces:
        yield stream.resample_chunk(np.ascontiguousarray(piece)).reshape(-1, channels)
    rest = stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)
    yield rest.reshape(-1, channels)


def _write(
    file: soundfile.SoundFile, frames: Float32[np.ndarray, "s c"], encoding: Encoding
) -> None:
    for start in range(0, len(frames), BLOCK):
        block = frames[start : start + BLOCK]
        file.write(as_pcm16(block) if encoding.subtype == "PCM_16" else block)


def _known(name: str, wrong: str) -> str:
    if name not in ENCODINGS:
        raise AudioError(wrong, hint=f"write one of {', '.join(ENCODINGS)}")
    return name


def _rate(encoding: Encoding, sample_rate: int) -> int:
    if encoding.highest is not None:
        return min(sample_rate, encoding.highest)
    higher = (rate for rate in encoding.rates if rate >= sample_rate)
    return next(higher, encoding.rates[-1]) if encoding.rates else sample_rate


def _count_over(frames: Float32[np.ndarray, "s c"]) -> int:
    """The number of samples over full scale. Raises `AudioError` if any are not finite."""
    if not np.isfinite(frames).all():
        raise AudioError(
            "samples that are not finite cannot be written", hint="check where the audio comes from"
        )
    return int((np.abs(frames) > 1).sum())


def _require_room(samples: int, encoding: Encoding) -> None:
    if encoding.most_samples is not None and samples > encoding.most_samples:
        raise AudioError(
            f"a {encoding.name} file holds at most {encoding.most_samples} samples, "
            "but this recording has more",
            hint="write a flac file, or split the recording",
        )
