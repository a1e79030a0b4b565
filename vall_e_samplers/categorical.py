"""Sampling from the unchanged distribution."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.plugin import draw_categorical
from vall_e_samplers.options import CategoricalConfig


class Categorical:
    """Samples each token in proportion to its probability."""

    def __init__(self, config: CategoricalConfig) -> None:
        self.config = config

    def draw(
        self,
        history: Int[Tensor, "b t"],
        logits: Float[Tensor, "b v"],
        generators: Sequence[torch.Generator],
    ) -> Int[Tensor, " b"]:
        return draw_categorical(logits, generators)
