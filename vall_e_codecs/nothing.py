"""What codecs make of nothing."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor


def no_codes(audio: Num[Tensor, "b c s"], levels: int) -> Int[Tensor, "b k 0"]:
    """Of no frame, for as many rows, where the sound is."""
    return torch.zeros(len(audio), levels, 0, dtype=torch.long, device=audio.device)


def no_sound(codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 0"]:
    """For as many rows, where the codes are."""
    return torch.zeros(len(codes), 1, 0, device=codes.device)
