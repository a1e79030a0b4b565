"""Top-k sampling (Fan et al. 2018, https://arxiv.org/abs/1805.04833)."""

from jaxtyping import Bool, Float, Int
from torch import Tensor

from vall_e_samplers.options import TopKConfig


def likeliest(logits: Float[Tensor, "b v"], k: int) -> Bool[Tensor, "b v"]:
    """Which tokens are the `k` likeliest of their rows, or as likely as the last of them."""
    least = logits.topk(min(k, logits.shape[-1]), dim=-1).values[:, -1:]
    return logits >= least


class TopK:
    """Keeps the `k` likeliest tokens of each row, and those as likely as the last of them."""

    def __init__(self, config: TopKConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        return logits.masked_fill(~likeliest(logits, self.config.k), float("-inf"))
