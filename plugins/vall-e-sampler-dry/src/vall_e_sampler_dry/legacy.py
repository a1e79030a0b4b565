"""DRY as e-c-k-e-r/vall-e computes it."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e_sampler_dry.dry import matches
from vall_e_sampler_dry.options import LegacyDryConfig

LONGEST = 50


class LegacyDry:
    """Compares with what preceded the last token instead of what follows it, and stops too early.

    A position counts one, plus one for each token before it that also precedes the last token; so
    the last token itself, which always matches, is penalized most. Tokens are processed in the
    order of their first occurrence, and none after one with less than `allowed`.
    """

    def __init__(self, config: LegacyDryConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        config, size = self.config, history.shape[1]
        most = max(config.allowed, LONGEST)
        length = 1 + matches(history, history[:, :-1], most - 1)
        best = torch.zeros(logits.shape, dtype=torch.long, device=logits.device)
        best = best.scatter_reduce(1, history, length, "amax")
        places = torch.arange(size, device=logits.device).expand_as(history)
        first = torch.full_like(best, size).scatter_reduce(1, history, places, "amin")
        ends = first.masked_fill(best >= config.allowed, size).amin(-1, keepdim=True)
        penalty = config.multiplier * config.base ** (best - config.allowed).float()
        return logits.float() - torch.where((best > 0) & (first < ends), penalty, 0.0)
