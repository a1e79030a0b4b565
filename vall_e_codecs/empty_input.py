"""Results of codecs for empty input."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor


def no_codes(audio: Num[Tensor, "b c s"], levels: int) -> Int[Tensor, "b k 0"]:
    """Audio of no frames, for as many rows, on the device of the codes."""
    return torch.zeros(len(audio), levels, 0, dtype=torch.long, device=audio.device)


def no_sound(codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 0"]:
    """Codes of no audio, for as many rows, on its device."""
    return torch.zeros(len(codes), 1, 0, device=codes.device)
