"""Entropy-aware sampling (entropix, https://github.com/xjdr-alt/entropix)."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.plugin import draw_categorical
from vall_e_samplers.min_p import unlikely
from vall_e_samplers.options import EntropixConfig
from vall_e_samplers.top_k import likeliest
from vall_e_samplers.top_p import outside

LEAST_T, MOST_T = 0.5, 1.25
LEAST_MIN_P, MOST_MIN_P = 0.01, 0.5


def entropies(logits: Float[Tensor, "b v"]) -> tuple[Float[Tensor, " b"], Float[Tensor, " b"]]:
    """Entropy of each row in bits, and its variance (varentropy)."""
    log_p = logits.float().log_softmax(-1)
    p = log_p.exp()
    bits = (log_p / math.log(2)).masked_fill(p == 0, 0.0)  # 0 log 0 is 0
    entropy = -(p * bits).sum(-1)
    return entropy, (p * (bits + entropy[:, None]).square()).sum(-1)


class Entropix:
    """Adapts sampling to the row's entropy and varentropy.

    Both low: the likeliest token. High entropy alone: warmer. High varentropy: warmer, and from
    fewer tokens if the entropy is high too. Otherwise the likeliest of `samples` random tokens. The
    original's terms for attention weights are left out, since kernels do not return them.
    """

    def __init__(self, config: EntropixConfig) -> None:
        self.config = config

    def draw(
        self,
        history: Int[Tensor, "b t"],
        logits: Float[Tensor, "b v"],
        generators: Sequence[torch.Generator],
    ) -> Int[Tensor, " b"]:
        c = self.config
        entropy, varentropy = entropies(logits)
        sure = (entropy < c.low) & (varentropy < c.low)
        unsure = (entropy > c.medium) & (varentropy < c.low)
        forked = (entropy < c.high) & (varentropy > c.high)
        lost = (entropy > c.medium) & (varentropy > c.high) & ~forked
        adaptive = ~(sure | unsure | forked | lost)
        both = entropy + varentropy
        warmth = torch.where(unsure, 1.3, torch.where(forked, 1.2, torch.where(lost, 2.0, 1.0)))
        warmth = torch.where(adaptive, 1 + 0.3 * both, warmth)
        top_p = torch.where(lost, max(0.5, c.p - 0.2), c.p)
        min_p = torch.where(adaptive, c.min_p * (1 - 0.5 * both), 0.0)
        shaped = _shaped(
            logits.float() / (c.t * warmth).clamp(LEAST_T, MOST_T)[:, None],
            top_p,
            c.k,
            torch.where(adaptive, min_p.clamp(LEAST_MIN_P, MOST_MIN_P), 0.0),
        )
        # Every row draws equally often, so that its random numbers do not depend on its case.
        drawn = torch.stack([draw_categorical(shaped, generators) for _ in range(c.samples)], -1)
        log_p = logits.float().log_softmax(-1).gather(-1, drawn)
        choice = torch.where(adaptive, log_p.argmax(-1), 0)
        token = drawn.gather(-1, choice[:, None])[:, 0]
        return torch.where(sure, logits.argmax(-1), token)


def _shaped(
    logits: Float[Tensor, "b v"],
    top_p: Float[Tensor, " b"],
    k: int,
    min_p: Float[Tensor, " b"],
) -> Float[Tensor, "b v"]:
    """Min-p, top-k and top-p, each on the whole distribution, with options for each row."""
    dropped = outside(logits, top_p[:, None]) | unlikely(logits, min_p[:, None])
    return logits.masked_fill(dropped | ~likeliest(logits, k), float("-inf"))
