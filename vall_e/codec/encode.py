"""Encodes and decodes recordings, on the codec's device."""

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
    """The codes of a recording with any rate and number of channels."""
    samples = torch.from_numpy(clip.mono().resample(codec.sample_rate).samples)
    # Resampling can slightly overshoot the peaks of a loud recording, which is not worth a warning.
    audio = samples.clamp(-1, 1)[None, None].to(device_of(codec))
    with torch.inference_mode():
        return to_codes(codec.encode(audio)[0], codec)


def decode(codes: Codes, codec: Codec) -> Clip:
    """The audio of the codes; they must be from this codec."""
    values = torch.from_numpy(codes.values.astype("int64"))[None].to(device_of(codec))
    with torch.inference_mode():
        sound = codec.decode(values)[0, 0].float().clamp(-1, 1).cpu()
    return Clip(sound.numpy(), codec.sample_rate)


def require_codes_of(codec: Codec, codes: Codes) -> None:
    """Raise `DataError` if the codec lacks these levels or entries."""
    if len(codes.values) > codec.levels:
        raise DataError(
            f"these codes have {len(codes.values)} levels, but the codec has {codec.levels}",
            hint=f"use the first ones (--levels {codec.levels}), or configure the codec with more",
        )
    largest = int(codes.values.max(initial=0))
    if largest >= codec.codebook_size:
        raise DataError(
            f"these codes go up to {largest}, but the codec's go up to {codec.codebook_size - 1}",
            hint="encode the recording again",
        )


def to_codes(codes: Int[Tensor, "k f"], codec: Codec) -> Codes:
    """Codes from a codec, or from a model that generates its codes, with their identity."""
    return Codes(
        values=codes.to(torch.int16).cpu().numpy(),
        codec=codec.identity,
        frame_rate=codec.frame_rate,
        sample_rate=codec.sample_rate,
    )
