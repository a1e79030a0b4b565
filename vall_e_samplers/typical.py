"""Locally typical sampling (Meister et al. 2023, https://arxiv.org/abs/2202.00666)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e_samplers.options import TypicalConfig


class Typical:
    """Keeps the tokens whose surprise is nearest to the entropy, until they hold `mass`."""

    def __init__(self, config: TypicalConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        if self.config.mass >= 1:
            return logits.clone()  # a rounded sum must not drop the tail
        log_p = logits.float().log_softmax(-1)
        p = log_p.exp()
        entropy = torch.special.entr(p).sum(-1, keepdim=True)  # 0 log 0 is 0 there
        order = (-log_p - entropy).abs().argsort(dim=-1, stable=True)
        ranked = p.gather(-1, order)
        ahead = ranked.cumsum(-1) - ranked  # 0 for the first token, so one always stays
        dropped = torch.zeros_like(p, dtype=torch.bool).scatter(
            -1, order, ahead >= self.config.mass
        )
        return logits.masked_fill(dropped, float("-inf"))
