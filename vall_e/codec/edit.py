"""Edits codes: joining, cutting, silence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from attrs import evolve

from vall_e.audio.codes import Codes
from vall_e.codec.blocks import encode_blocks
from vall_e.codec.encode import to_codes
from vall_e.codec.long_audio import decode_pieces, encode_pieces
from vall_e.device import device_of
from vall_e.errors import DataError
from vall_e.interfaces.codec import Blockwise, Codec, frame_samples

EDGE_SECONDS = 0.5
"""Extra silence on both sides, so that the silence in use has no edges."""


def silence(codec: Codec, frames: int, *, levels: int | None = None) -> Codes:
    """The codec's codes for this many frames of digital silence."""
    edge = round(EDGE_SECONDS * codec.frame_rate)
    hop = frame_samples(sample_rate=codec.sample_rate, frame_rate=codec.frame_rate)
    samples = round((frames + 2 * edge) * hop)
    with torch.inference_mode():
        found = codec.encode(torch.zeros(1, 1, samples, device=device_of(codec)))[0]
    codes = to_codes(found[:, edge : edge + frames], codec)
    return codes if levels is None else codes.levels(levels)


def join(parts: Sequence[Codes], codec: Codec, *, pause: float = 0.0, again: bool = False) -> Codes:
    """Join in sequence, with this many seconds of silence in between.

    `again`: decode and encode again, so that the codes next to a seam match the joined audio;
    otherwise the codes are unchanged. Raises `DataError` for codes of another codec, or with
    different numbers of levels.
    """
    if not parts:
        raise DataError("there are no codes to join", hint="give at least one")
    if not 0 <= pause < math.inf:
        raise DataError(
            f"a pause lasts 0 s or longer, not {pause:g} s",
            hint="give a pause of 0 seconds or more",
        )
    levels = len(parts[0].values)
    gap = _pause(pause, codec, in_blocks=parts[0].blocks is not None).levels(levels)
    spaced = [codes for part in parts for codes in (gap, part)][1:]
    joined = Codes.join(spaced)
    if not again:
        return joined
    sound = decode_pieces(joined, codec)
    if joined.blocks is not None and isinstance(codec, Blockwise):
        return encode_blocks(sound, codec).levels(levels)
    return encode_pieces(sound, codec).levels(levels)


def _pause(seconds: float, codec: Codec, *, in_blocks: bool) -> Codes:
    if in_blocks and isinstance(codec, Blockwise):
        samples = round(seconds * codec.sample_rate)
        return encode_blocks([np.zeros((codec.channels, samples), np.float32)], codec)
    return silence(codec, round(seconds * codec.frame_rate))


def cut(codes: Codes, start: float, end: float | None = None) -> Codes:
    """The part from `start` to `end` in seconds, in whole frames; `DataError` if it is empty.

    No codec is needed, since a code belongs to one frame.
    """
    if not (math.isfinite(start) and (end is None or math.isfinite(end))):
        raise DataError(
            f"{start} to {end} is not a range in seconds", hint="give the start and end as numbers"
        )
    first = round(start * codes.frame_rate)
    frames = round(codes.seconds * codes.frame_rate)
    last = frames if end is None else min(frames, round(end * codes.frame_rate))
    if start < 0 or first >= last:
        raise DataError(
            f"nothing lies between {start:g} s and {codes.seconds if end is None else end:g} s of "
            f"{codes.seconds:.2f} s of codes",
            hint="give times within the codes",
        )
    if codes.blocks is None:
        return evolve(codes, values=codes.values[:, first:last])
    hop = codes.frame_samples
    columns, blocks = codes.blocks.cut(first * hop, last * hop, hop)
    return evolve(codes, values=codes.values[:, columns], blocks=blocks)
