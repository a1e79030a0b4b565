"""Nucleus sampling (Holtzman et al. 2020, https://arxiv.org/abs/1904.09751)."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from vall_e_samplers.options import TopPConfig


def outside(logits: Float[Tensor, "b v"], p: float | Float[Tensor, "b 1"]) -> Bool[Tensor, "b v"]:
    """Tokens outside the smallest set with probability `p`, one `p` for all rows or one each."""
    ranked, order = logits.float().softmax(-1).sort(dim=-1, descending=True, stable=True)
    ahead = ranked.cumsum(-1) - ranked  # 0 for the first token, so one always stays
    # At p = 1 a rounded sum must not drop the tail.
    dropped = (ahead >= p) & (p < 1)
    return torch.zeros_like(dropped).scatter(-1, order, dropped)


def nucleus(logits: Float[Tensor, "b v"], p: float) -> Float[Tensor, "b v"]:
    """Leaves the smallest set of tokens with probability `p`, which includes the likeliest."""
    return logits.masked_fill(outside(logits, p), float("-inf"))


class TopP:
    """Keeps the nucleus of each row."""

    def __init__(self, config: TopPConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        return nucleus(logits, self.config.p)
