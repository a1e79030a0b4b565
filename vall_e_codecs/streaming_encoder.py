"""Encodes audio as it arrives, frame by frame."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Int, Num
from torch import Tensor

from vall_e_codecs.audio_check import checked
from vall_e_codecs.empty_input import no_codes


class FrameListener:
    """A `vall_e.plugin.Listener` over an encoder that keeps the state that it needs.

    `encode` takes whole frames of `samples`, and at the end the rest of one. Its first input has
    at least `first` frames; a shorter recording goes to `short`.
    """

    def __init__(
        self,
        encode: Callable[[Tensor], Tensor],
        short: Callable[[Tensor], Tensor],
        *,
        samples: int,
        levels: int,
        first: int = 1,
    ) -> None:
        self._encode, self._short = encode, short
        self._samples, self._levels, self._first = samples, levels, first
        self._waiting: Tensor | None = None
        self._begun = False

    @torch.no_grad()
    def push(self, audio: Num[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        audio = checked(audio)
        known = audio if self._waiting is None else torch.cat([self._waiting, audio], dim=2)
        frames = known.shape[2] // self._samples
        self._begun = self._begun or frames >= self._first
        taken = frames * self._samples if self._begun else 0
        self._waiting = known[:, :, taken:]
        return self._encode(known[:, :, :taken]) if taken else no_codes(audio, self._levels)

    @torch.no_grad()
    def flush(self) -> Int[Tensor, "b k f"]:
        if self._waiting is None:
            return torch.zeros(1, self._levels, 0, dtype=torch.long)
        if not self._waiting.shape[2]:
            return no_codes(self._waiting, self._levels)
        return (self._encode if self._begun else self._short)(self._waiting)
