"""Samples to the bytes of a wav, flac, ogg, opus or mp3 file."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr
from attrs import frozen

from vall_e.audio.pcm import as_pcm16
from vall_e.errors import AudioError

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Float32

log = logging.getLogger(__name__)


@frozen
class Encoding:
    """Names of libsndfile, and the sample rates that the format has; none: any."""

    container: str
    subtype: str
    rates: tuple[int, ...] = ()
    highest: int | None = None
    """If it has any rate up to this."""


@frozen
class Note:
    """Text in the metadata of a file."""

    comment: str
    software: str
    """What wrote it."""


_MP3_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
ENCODINGS = {
    "wav": Encoding("WAV", "PCM_16"),
    "flac": Encoding("FLAC", "PCM_16"),
    "ogg": Encoding("OGG", "VORBIS", highest=192_000),  # libsndfile crashes far above
    "opus": Encoding("OGG", "OPUS", (8000, 12_000, 16_000, 24_000, 48_000)),
    "mp3": Encoding("MP3", "MPEG_LAYER_III", _MP3_RATES),
}
"""By the name that users write, which is the suffix of the file."""
BLOCK = 1 << 14
"""Frames handed over at once: libsndfile's Vorbis encoder overruns the stack with a long file."""


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

    A rate that the format lacks is raised to the next that it has, or lowered to its highest.
    """
    encoding = ENCODINGS[_known(format, f"{format!r} is no format for audio")]
    if not samples.size:
        raise AudioError("there are no samples to write", hint="check what made the audio")
    rate = _rate(encoding, sample_rate)
    frames = samples.T.reshape(samples.shape[-1], -1)
    if rate != sample_rate:
        log.info("%s has no rate of %d Hz: written at %d Hz", format, sample_rate, rate)
        frames = soxr.resample(frames, sample_rate, rate, quality="HQ")
    return _bytes(_within_full_scale(frames), rate, encoding, note)


def _bytes(
    frames: Float32[np.ndarray, "s c"], rate: int, encoding: Encoding, note: Note | None
) -> bytes:
    out = BytesIO()
    try:
        with soundfile.SoundFile(
            out,
            "w",
            samplerate=rate,
            channels=frames.shape[1],
            format=encoding.container,
            subtype=encoding.subtype,
        ) as file:
            if note:
                file.comment, file.software = note.comment, note.software
            for start in range(0, len(frames), BLOCK):
                block = frames[start : start + BLOCK]
                file.write(as_pcm16(block) if encoding.subtype == "PCM_16" else block)
    except (soundfile.LibsndfileError, ValueError) as exc:
        raise AudioError(
            f"{frames.shape[1]} channels at {rate} Hz cannot be written as "
            f"{encoding.container} {encoding.subtype}: {getattr(exc, 'error_string', exc)}",
            hint="write a wav file",
        ) from exc
    return out.getvalue()


def _known(name: str, wrong: str) -> str:
    if name not in ENCODINGS:
        raise AudioError(wrong, hint=f"write one of {', '.join(ENCODINGS)}")
    return name


def _rate(encoding: Encoding, sample_rate: int) -> int:
    if encoding.highest is not None:
        return min(sample_rate, encoding.highest)
    higher = (rate for rate in encoding.rates if rate >= sample_rate)
    return next(higher, encoding.rates[-1]) if encoding.rates else sample_rate


def _within_full_scale(frames: Float32[np.ndarray, "s c"]) -> Float32[np.ndarray, "s c"]:
    if not np.isfinite(frames).all():
        raise AudioError(
            "samples that are no numbers cannot be written", hint="check what made the audio"
        )
    over = int((np.abs(frames) > 1).sum())
    if over:
        log.warning("%d samples over full scale are clipped", over)
    clipped: Float32[np.ndarray, "s c"] = np.clip(frames, -1, 1)
    return clipped
