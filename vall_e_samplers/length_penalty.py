"""Length penalty: changes when the stop token is sampled."""

import math

from jaxtyping import Float, Int
from torch import Tensor

from vall_e_samplers.options import LengthPenaltyConfig


class LengthPenalty:
    """Multiplies the probability of the stop token by `(frames + 1) ** -factor`."""

    def __init__(self, config: LengthPenaltyConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        logits = logits.clone()
        logits[:, self.config.stop] -= self.config.factor * math.log(history.shape[1] + 1)
        return logits
