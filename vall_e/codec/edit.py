"""Codes that are put together from others, and those of silence."""

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
"""Silence around the silence that is kept, so that no edge is in it."""


def silence(codec: Codec, frames: int, *, levels: int | None = None) -> Codes:
    """What the codec writes for so many frames of digital silence."""
    edge = round(EDGE_SECONDS * codec.frame_rate)
    hop = frame_samples(sample_rate=codec.sample_rate, frame_rate=codec.frame_rate)
    samples = round((frames + 2 * edge) * hop)
    with torch.inference_mode():
        found = codec.encode(torch.zeros(1, 1, samples, device=device_of(codec)))[0]
    codes = to_codes(found[:, edge : edge + frames], codec)
    return codes if levels is None else codes.levels(levels)


def join(parts: Sequence[Codes], codec: Codec, *, pause: float = 0.0, again: bool = False) -> Codes:
    """One after the other, with so many seconds of silence between them.

    `again`: through sound, which is encoded anew, so that the codes beside a seam are those of a
    recording that has it; else the codes stay as they are. Raises `DataError` for codes of another
    codec, or of different numbers of levels.
    """
    if not parts:
        raise DataError("there are no codes to join", hint="give at least one")
    if not 0 <= pause < math.inf:
        raise DataError(f"a pause lasts 0 s or longer, not {pause:g} s", hint="give another")
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
    """From `start` to `end` in seconds, to the nearest frames. Raises `DataError` if that is none.

    No codec is needed: a code is a number of its frame.
    """
    if not (math.isfinite(start) and (end is None or math.isfinite(end))):
        raise DataError(f"{start} to {end} are no times in seconds", hint="give numbers")
    first = round(start * codes.frame_rate)
    frames = round(codes.seconds * codes.frame_rate)
    last = frames if end is None else min(frames, round(end * codes.frame_rate))
    if start < 0 or first >= last:
        raise DataError(
            f"there is nothing from {start:g} s to {codes.seconds if end is None else end:g} s in "
            f"{codes.seconds:.2f} s of codes",
            hint="give times within them",
        )
    if codes.blocks is None:
        return evolve(codes, values=codes.values[:, first:last])
    hop = codes.frame_samples
    columns, blocks = codes.blocks.cut(first * hop, last * hop, hop)
    return evolve(codes, values=codes.values[:, columns], blocks=blocks)
