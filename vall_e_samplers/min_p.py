"""Min-p sampling (Nguyen et al. 2024, https://arxiv.org/abs/2407.01082)."""

from jaxtyping import Bool, Float, Int
from torch import Tensor

from vall_e_samplers.options import MinPConfig
from vall_e_samplers.top_k import likeliest


def unlikely(
    logits: Float[Tensor, "b v"], share: float | Float[Tensor, "b 1"]
) -> Bool[Tensor, "b v"]:
    """Tokens less likely than this share of the likeliest, one share for all rows or one each."""
    return (logits.float() - logits.float().amax(-1, keepdim=True)).exp() < share


class MinP:
    """Drops tokens less likely than `p` times the likeliest: more if the model is confident."""

    def __init__(self, config: MinPConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        dropped = unlikely(logits, self.config.p) & ~likeliest(logits, self.config.keep)
        return logits.masked_fill(dropped, float("-inf"))
