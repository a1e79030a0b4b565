"""A stream for codecs that need all codes before they decode."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e_codecs.empty_input import no_sound


class WholeStream:
    """Keeps what is pushed; `flush` decodes it all."""

    def __init__(self, decode: Callable[[Tensor], Tensor]) -> None:
        self._decode = decode
        self._pieces: list[Tensor] = []

    def push(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        self._pieces.append(codes)
        return no_sound(codes)

    def flush(self) -> Float[Tensor, "b 1 s"]:
        if not self._pieces:
            return torch.zeros(1, 1, 0)
        return self._decode(torch.cat(self._pieces, dim=2))
