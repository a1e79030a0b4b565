"""Recordings to codes and back, by a codec wherever it is."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.device import device_of
from vall_e.errors import DataError
from vall_e.interfaces.codec import Codec


def encode(clip: Clip, codec: Codec) -> Codes:
    """The codes of a recording with any rate and any channels."""
    samples = torch.from_numpy(clip.mono().resample(codec.sample_rate).samples)
    # Resampling can overshoot a loud recording's peaks a little, which is worth no warning.
    audio = samples.clamp(-1, 1)[None, None].to(device_of(codec))
    with torch.inference_mode():
        return to_codes(codec.encode(audio)[0], codec)


def decode(codes: Codes, codec: Codec) -> Clip:
    """The sound of the codes; the codec must be the one that made them."""
    values = torch.from_numpy(codes.values.astype("int64"))[None].to(device_of(codec))
    with torch.inference_mode():
        sound = codec.decode(values)[0, 0].float().clamp(-1, 1).cpu()
    return Clip(sound.numpy(), codec.sample_rate)


def require_codes_of(codec: Codec, codes: Codes) -> None:
    """Raise `DataError` if the codec has not so many levels, or no such entries."""
    if len(codes.values) > codec.levels:
        raise DataError(
            f"these codes have {len(codes.values)} levels, the codec {codec.levels}",
            hint=f"use the first ones (--levels {codec.levels}), or give the codec more of its own",
        )
    largest = int(codes.values.max(initial=0))
    if largest >= codec.codebook_size:
        raise DataError(
            f"these codes go up to {largest}, those of the codec to {codec.codebook_size - 1}",
            hint="make them again from their recording",
        )


def to_codes(codes: Int[Tensor, "k f"], codec: Codec) -> Codes:
    """Codes from a codec, or from a model that writes its codes, with what they are."""
    return Codes(
        values=codes.to(torch.int16).cpu().numpy(),
        codec=codec.identity,
        frame_rate=codec.frame_rate,
        sample_rate=codec.sample_rate,
    )
