"""Encodes and decodes recordings of any length in constant memory.

Each chunk goes through the codec with context on both sides, and its own frames are kept. The
result is that of the whole recording if the codec is `Local`; otherwise frames near a seam see
only `SEAM_SECONDS` of what precedes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil
from pathlib import Path

import numpy as np
import soxr
import torch
from attrs import evolve, frozen
from jaxtyping import Float32
from torch import Tensor

from vall_e.audio.audio_file import AudioFile, open_audio
from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.codec.blocks import decode_blocks, encode_blocks
from vall_e.codec.encode import decode, encode, require_codes_of, to_codes
from vall_e.device import device_of
from vall_e.errors import AudioError
from vall_e.interfaces.codec import Blockwise, Codec, Listener, Listening, Local, frame_samples

CHUNK_SECONDS = 30.0
SEAM_SECONDS = 5.0
"""Context on each side of a chunk for codecs that do not state their receptive field."""
WHOLE_SECONDS = 120.0
"""Shorter recordings are encoded in one go."""


@frozen
class EncodedAudio:
    """Codes, with the number of samples and the sample rate of the recording."""

    codes: Codes
    samples: int
    sample_rate: int


def encode_file(path: Path, codec: Codec) -> EncodedAudio:
    """The codes of a recording of any length, for a file. Raises `AudioError`."""
    if _seconds(path) <= WHOLE_SECONDS:
        clip = Clip.read(path)
        if not clip.samples.size:
            raise AudioError(f"{path} has no samples", hint="give another recording")
        return EncodedAudio(encode_clip(clip, codec), clip.samples.shape[-1], clip.sample_rate)
    with open_audio(path) as file:
        if isinstance(codec, Blockwise):
            codes = encode_blocks(_resampled(file, codec.sample_rate, codec.channels), codec)
        else:
            codes = encode_pieces(_resampled(file, codec.sample_rate, None), codec)
        return EncodedAudio(codes, file.read_frames, file.sample_rate)


def encode_clip(clip: Clip, codec: Codec) -> Codes:
    """The codes of a recording, for a file."""
    if not isinstance(codec, Blockwise):
        return encode(clip, codec)
    clip = clip.resample(codec.sample_rate)
    return encode_blocks([_with_channels(clip.samples, codec.channels)], codec)


def encode_pieces(
    pieces: Iterable[Float32[np.ndarray, " s"]], codec: Codec, *, seconds: float = CHUNK_SECONDS
) -> Codes:
    """Codes from pieces of one recording, at the codec's rate, in chunks of about this length.

    Mono; if the codec is `Blockwise`, these are codes for a model (`encode_blocks`: for files).
    """
    if isinstance(codec, Listening):
        found = list(_listened(pieces, codec, codec.listen(), ceil(seconds * codec.sample_rate)))
        return Codes.join([to_codes(each[0], codec) for each in found])
    return _with_context(pieces, codec, ceil(seconds * codec.frame_rate))


def _with_context(pieces: Iterable[Float32[np.ndarray, " s"]], codec: Codec, chunk: int) -> Codes:
    hop = round(frame_samples(sample_rate=codec.sample_rate, frame_rate=codec.frame_rate))
    context = _frames(codec, codec.encode_context if isinstance(codec, Local) else None)
    parts: list[Codes] = []
    known, left = np.zeros(0, np.float32), 0
    for piece in pieces:
        known = np.concatenate([known, piece])
        while len(known) > (left + chunk + context) * hop:
            part = _encoded(known[: (left + chunk + context) * hop], codec)
            parts.append(_cut(part, left, left + chunk))
            kept = min(context, left + chunk)
            known, left = known[(left + chunk - kept) * hop :], kept
    part = _encoded(known, codec)
    return Codes.join([*parts, _cut(part, left, part.frames)])


def _listened(
    pieces: Iterable[Float32[np.ndarray, " s"]], codec: Codec, listener: Listener, samples: int
) -> Iterator[Tensor]:
    """Codes of the incoming audio, with at most this many samples at once."""
    for piece in pieces:
        for start in range(0, len(piece), samples):
            with torch.inference_mode():
                yield listener.push(_audio(piece[start : start + samples], codec))
    with torch.inference_mode():
        yield listener.flush()


def sound_of(codes: Codes, codec: Codec) -> Iterator[Float32[np.ndarray, "*c s"]]:
    """The audio of codes: in one go up to `WHOLE_SECONDS`, otherwise chunk by chunk.

    Raises `DataError` for codes that the codec does not have.
    """
    require_codes_of(codec, codes)
    if codes.blocks is None and codes.seconds <= WHOLE_SECONDS:
        yield decode(codes, codec).samples
    else:
        yield from decode_pieces(codes, codec)


def decode_pieces(
    codes: Codes, codec: Codec, *, seconds: float = CHUNK_SECONDS
) -> Iterator[Float32[np.ndarray, "*c s"]]:
    """The audio of codes, chunk by chunk; a causal codec streams without seams."""
    if codes.blocks is not None and isinstance(codec, Blockwise):
        yield from decode_blocks(codes, codes.blocks, codec)
        return
    sounds = _streamed if codec.causal else _overlapped
    for sound in sounds(codes, codec, ceil(seconds * codec.frame_rate)):
        yield sound[0, 0].float().clamp(-1, 1).cpu().numpy()


def _streamed(codes: Codes, codec: Codec, chunk: int) -> Iterator[Tensor]:
    stream = codec.stream()
    for start in range(0, codes.frames, chunk):
        with torch.inference_mode():
            yield stream.push(_tensor(codes, start, start + chunk, codec))
    with torch.inference_mode():
        yield stream.flush()


def _overlapped(codes: Codes, codec: Codec, chunk: int) -> Iterator[Tensor]:
    context = _frames(codec, codec.decode_context if isinstance(codec, Local) else None)
    hop = round(frame_samples(sample_rate=codec.sample_rate, frame_rate=codec.frame_rate))
    for start in range(0, codes.frames, chunk):
        first, frames = max(0, start - context), min(chunk, codes.frames - start)
        with torch.inference_mode():
            sound = codec.decode(_tensor(codes, first, start + frames + context, codec))
        yield sound[:, :, (start - first) * hop : (start - first + frames) * hop]


def _frames(codec: Codec, told: int | None) -> int:
    return ceil(SEAM_SECONDS * codec.frame_rate) if told is None else told


def _tensor(codes: Codes, start: int, end: int, codec: Codec) -> Tensor:
    values = codes.values[:, start:end].astype("int64")
    return torch.from_numpy(values)[None].to(device_of(codec))


def _encoded(samples: Float32[np.ndarray, " s"], codec: Codec) -> Codes:
    with torch.inference_mode():
        return to_codes(codec.encode(_audio(samples, codec))[0], codec)


def _audio(samples: Float32[np.ndarray, " s"], codec: Codec) -> Tensor:
    # Resampling can slightly overshoot the peaks of a loud recording, which is not worth a warning.
    return torch.from_numpy(samples.clip(-1, 1))[None, None].to(device_of(codec))


def _cut(codes: Codes, start: int, end: int) -> Codes:
    return evolve(codes, values=codes.values[:, start:end])


def _seconds(path: Path) -> float:
    with open_audio(path) as file:
        return file.seconds


def _resampled(
    file: AudioFile, rate: int, channels: int | None
) -> Iterator[Float32[np.ndarray, "*c s"]]:
    """The audio in pieces of some seconds: mono `(s,)`, or with this many channels `(c, s)`."""
    stream = soxr.ResampleStream(
        file.sample_rate, rate, channels or 1, dtype="float32", quality="HQ"
    )
    for block in file.blocks():
        samples = block.mean(axis=1) if channels is None else _with_channels(block.T, channels).T
        yield stream.resample_chunk(np.ascontiguousarray(samples)).T
    rest = np.zeros(0 if channels is None else (0, channels), np.float32)
    yield stream.resample_chunk(rest, last=True).T


def _with_channels(
    samples: Float32[np.ndarray, "*c s"], channels: int
) -> Float32[np.ndarray, "d s"]:
    """Unchanged if the number of channels matches, otherwise their mean in each channel."""
    if samples.ndim == 2 and len(samples) == channels:
        return samples
    mono = samples if samples.ndim == 1 else samples.mean(axis=0)
    return np.repeat(mono[None], channels, axis=0)
