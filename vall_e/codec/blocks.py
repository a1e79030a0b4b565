"""Encodes and decodes recordings in blocks, for codecs that are `Blockwise`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from vall_e.audio.block_codes import Blocks
from vall_e.audio.codes import Codes
from vall_e.codec.encode import to_codes
from vall_e.device import device_of
from vall_e.interfaces.codec import Blockwise, Codec


@runtime_checkable
class BlockCodec(Codec, Blockwise, Protocol):
    """A codec that is `Blockwise`."""


def encode_blocks(pieces: Iterable[Float32[np.ndarray, "c s"]], codec: BlockCodec) -> Codes:
    """Codes from pieces of one recording, at the codec's rate and with its channels."""
    return _Encoder(codec).encode(pieces)


class _Encoder:
    """Encodes each block as soon as it is complete."""

    def __init__(self, codec: BlockCodec) -> None:
        self._codec = codec
        self._known = np.zeros((codec.channels, 0), np.float32)
        self._start = 0
        self._codes = [torch.zeros(codec.levels, 0, dtype=torch.long)]
        self._blocks: list[tuple[int, int, float]] = []

    def encode(self, pieces: Iterable[Float32[np.ndarray, "c s"]]) -> Codes:
        for piece in pieces:
            self._known = np.concatenate([self._known, piece], axis=1)
            self._take(least=self._codec.block_samples)
        self._take(least=1)
        codes = to_codes(torch.cat(self._codes, dim=1), self._codec)
        return codes.with_blocks(Blocks.of(self._blocks))

    def _take(self, *, least: int) -> None:
        while self._known.shape[1] >= least:
            block = torch.from_numpy(self._known[:, : self._codec.block_samples].clip(-1, 1))
            with torch.inference_mode():
                codes, loudness = self._codec.encode_block(block.to(device_of(self._codec)))
            self._codes.append(codes.cpu())
            self._blocks.append((self._start, codes.shape[1], loudness))
            self._start += self._codec.block_step
            self._known = self._known[:, self._codec.block_step :]


def decode_blocks(
    codes: Codes, blocks: Blocks, codec: BlockCodec
) -> Iterator[Float32[np.ndarray, "c s"]]:
    """The audio, cross-faded between overlapping blocks; yields what later blocks do not change.

    A sample's weight is its distance from the ends of its block, as in the package `encodec`.
    """
    longest = int(blocks.frames.max(initial=0)) * codes.frame_samples
    values = torch.from_numpy(codes.values.astype("int64")).to(device_of(codec))
    faded = Faded(codec.channels)
    place, column, last = 0, 0, len(blocks.frames) - 1
    for i, (start, frames) in enumerate(zip(blocks.starts, blocks.frames, strict=True)):
        yield faded.take(int(start) - place)
        place = int(start)
        with torch.inference_mode():
            block = values[:, column : column + int(frames)]
            sound = codec.decode_block(block, float(blocks.loudness[i])).float().cpu()
        column += int(frames)
        faded.add(sound, longest if i == last else sound.shape[1])
    yield faded.take(None)


class Faded:
    """A weighted mean of overlapping sounds, with weights that rise and fall."""

    def __init__(self, channels: int) -> None:
        self._sum = torch.zeros(channels, 0)
        self._weights = torch.zeros(0)

    def add(self, sound: Float[Tensor, "c s"], length: int) -> None:
        """Add a sound that begins now, with its length if it were complete."""
        places = torch.arange(sound.shape[1], dtype=torch.float32)
        weights = torch.minimum(places + 1, length - places)
        self._weights = _plus(self._weights, weights)
        self._sum = _plus(self._sum, sound * weights)

    def take(self, samples: int | None) -> Float32[np.ndarray, "c s"]:
        """The next `samples` of the mean, or all."""
        taken = (self._sum[:, :samples] / self._weights[:samples]).clamp(-1, 1)
        if samples is not None:
            self._sum, self._weights = self._sum[:, samples:], self._weights[samples:]
        return taken.numpy()


def _plus(one: Float[Tensor, "*c s"], other: Float[Tensor, "*c t"]) -> Float[Tensor, "*c u"]:
    """The sum of both; the shorter one is padded with silence."""
    length = max(one.shape[-1], other.shape[-1])
    first, second = (
        torch.nn.functional.pad(each, (0, length - each.shape[-1])) for each in (one, other)
    )
    return first + second
