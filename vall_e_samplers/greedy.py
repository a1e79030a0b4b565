"""Greedy decoding: deterministic."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e_samplers.options import GreedyConfig


class Greedy:
    """Takes the likeliest token of each row; among equals always the same one."""

    def __init__(self, config: GreedyConfig) -> None:
        self.config = config

    def draw(
        self,
        history: Int[Tensor, "b t"],
        logits: Float[Tensor, "b v"],
        generators: Sequence[torch.Generator],
    ) -> Int[Tensor, " b"]:
        return logits.argmax(-1)
