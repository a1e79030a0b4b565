"""Top-k sampling (Fan et al. 2018, https://arxiv.org/abs/1805.04833)."""

from jaxtyping import Float, Int
from torch import Tensor

from vall_e_samplers.components import TopKConfig


class TopK:
    """Keeps the `k` likeliest tokens of each row, and what is as likely as the last of them."""

    def __init__(self, config: TopKConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        k = min(self.config.k, logits.shape[-1])
        least = logits.topk(k, dim=-1).values[:, -1:]
        return logits.masked_fill(logits < least, float("-inf"))
