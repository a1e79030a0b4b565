"""Recordings of any length to codes and back, in memory that does not grow with them.

A chunk goes through the codec with what lies beside it, and its own frames are kept. That gives
what the whole would give where the codec is `Local`; else frames near a seam see `SEAM_SECONDS` of
what came before them, not all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from attrs import evolve, frozen
from jaxtyping import Float32
from torch import Tensor

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.interfaces.codec import Codec, Local, frame_samples
from vall_e.model.coding import decode, encode, to_codes
from vall_e.model.device import device_of

CHUNK_SECONDS = 30.0
SEAM_SECONDS = 5.0
"""Context on either side of a chunk where a codec does not say how far it sees."""
WHOLE_SECONDS = 120.0
"""Up to here a recording is encoded in one go."""


@frozen
class Encoded:
    """Codes, and how many samples at which rate the recording has."""

    codes: Codes
    samples: int
    sample_rate: int


def encode_file(path: Path, codec: Codec) -> Encoded:
    """The codes of a recording of any length. Raises `AudioError`."""
    if _seconds(path) <= WHOLE_SECONDS:
        clip = Clip.read(path)
        return Encoded(encode(clip, codec), clip.samples.shape[-1], clip.sample_rate)
    with soundfile.SoundFile(path) as file:
        codes = encode_pieces(_resampled(file, codec.sample_rate), codec)
        return Encoded(codes, file.frames, file.samplerate)


def encode_pieces(
    pieces: Iterable[Float32[np.ndarray, " s"]], codec: Codec, *, seconds: float = CHUNK_SECONDS
) -> Codes:
    """Codes of pieces of one recording, at the codec's rate, in chunks of about so many seconds."""
    hop = round(frame_samples(sample_rate=codec.sample_rate, frame_rate=codec.frame_rate))
    chunk = ceil(seconds * codec.frame_rate)
    context = _frames(codec, codec.encode_context if isinstance(codec, Local) else None)
    found: list[Codes] = []
    known, left = np.zeros(0, np.float32), 0
    for piece in pieces:
        known = np.concatenate([known, piece])
        while len(known) > (left + chunk + context) * hop:
            part = _encoded(known[: (left + chunk + context) * hop], codec)
            found.append(_cut(part, left, left + chunk))
            kept = min(context, left + chunk)
            known, left = known[(left + chunk - kept) * hop :], kept
    part = _encoded(known, codec)
    return Codes.join([*found, _cut(part, left, part.frames)])


def sound_of(codes: Codes, codec: Codec) -> Iterator[Float32[np.ndarray, " s"]]:
    """The sound of codes: in one go up to `WHOLE_SECONDS`, else chunk by chunk."""
    if codes.seconds <= WHOLE_SECONDS:
        yield decode(codes, codec).samples
    else:
        yield from decode_pieces(codes, codec)


def decode_pieces(
    codes: Codes, codec: Codec, *, seconds: float = CHUNK_SECONDS
) -> Iterator[Float32[np.ndarray, " s"]]:
    """The sound of codes, chunk by chunk; a causal codec streams it without a seam."""
    chunk = ceil(seconds * codec.frame_rate)
    sounds = _streamed if codec.causal else _overlapped
    with torch.inference_mode():
        for sound in sounds(codes, codec, chunk):
            yield sound[0, 0].float().clamp(-1, 1).cpu().numpy()


def _streamed(codes: Codes, codec: Codec, chunk: int) -> Iterator[Tensor]:
    stream = codec.stream()
    for start in range(0, codes.frames, chunk):
        yield stream.push(_tensor(codes, start, start + chunk, codec))
    yield stream.flush()


def _overlapped(codes: Codes, codec: Codec, chunk: int) -> Iterator[Tensor]:
    context = _frames(codec, codec.decode_context if isinstance(codec, Local) else None)
    hop = round(frame_samples(sample_rate=codec.sample_rate, frame_rate=codec.frame_rate))
    for start in range(0, codes.frames, chunk):
        first, frames = max(0, start - context), min(chunk, codes.frames - start)
        sound = codec.decode(_tensor(codes, first, start + frames + context, codec))
        yield sound[:, :, (start - first) * hop : (start - first + frames) * hop]


def _frames(codec: Codec, told: int | None) -> int:
    return ceil(SEAM_SECONDS * codec.frame_rate) if told is None else told


def _tensor(codes: Codes, start: int, end: int, codec: Codec) -> Tensor:
    values = codes.values[:, start:end].astype("int64")
    return torch.from_numpy(values)[None].to(device_of(codec))


def _encoded(samples: Float32[np.ndarray, " s"], codec: Codec) -> Codes:
    # Resampling can overshoot a loud recording's peaks a little, which is worth no warning.
    audio = torch.from_numpy(samples.clip(-1, 1))[None, None].to(device_of(codec))
    with torch.inference_mode():
        return to_codes(codec.encode(audio)[0], codec)


def _cut(codes: Codes, start: int, end: int) -> Codes:
    return evolve(codes, values=codes.values[:, start:end])


def _seconds(path: Path) -> float:
    """0 for what cannot be read: `Clip.read` says why."""
    try:
        found = soundfile.info(path)
    except (soundfile.LibsndfileError, RuntimeError):
        return 0.0
    return float(found.frames / found.samplerate)


def _resampled(file: soundfile.SoundFile, rate: int) -> Iterator[Float32[np.ndarray, " s"]]:
    """Its sound, mono, in pieces of some seconds."""
    stream = soxr.ResampleStream(file.samplerate, rate, 1, dtype="float32", quality="HQ")
    for block in file.blocks(blocksize=1 << 18, dtype="float32", always_2d=True):
        yield stream.resample_chunk(block.mean(axis=1))
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
