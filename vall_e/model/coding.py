"""Recordings to codes and back, by a codec wherever it is."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.interfaces.codec import Codec
from vall_e.model.device import device_of


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


def to_codes(codes: Int[Tensor, "k f"], codec: Codec) -> Codes:
    """Codes from a codec, or from a model that writes its codes, with what they are."""
    return Codes(
        values=codes.to(torch.int16).cpu().numpy(),
        codec=codec.identity,
        frame_rate=codec.frame_rate,
        sample_rate=codec.sample_rate,
    )
