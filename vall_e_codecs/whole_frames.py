"""Pads audio to whole frames, for codecs whose networks need them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def whole_frames(audio: Float[Tensor, "b 1 s"], samples: int) -> Float[Tensor, "b 1 t"]:
    """The audio, followed by silence up to a multiple of `samples`, the length of a frame."""
    return torch.nn.functional.pad(audio, (0, -audio.shape[2] % samples))
