"""Greedy decoding: no chance at all."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e_samplers.options import GreedyConfig


class Greedy:
    """Draws the likeliest token of each row; of equals, the same one each time."""

    def __init__(self, config: GreedyConfig) -> None:
        self.config = config

    def draw(
        self,
        history: Int[Tensor, "b t"],
        logits: Float[Tensor, "b v"],
        generators: Sequence[torch.Generator],
    ) -> Int[Tensor, " b"]:
        return logits.argmax(-1)
