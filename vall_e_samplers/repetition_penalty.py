"""Repetition penalty (CTRL, Keskar et al. 2019, https://arxiv.org/abs/1909.05858)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e_samplers.options import RepetitionPenaltyConfig


class RepetitionPenalty:
    """Makes the last `window` tokens less likely; the effect fades with time.

    A token counts once, however often it occurred. Positive logits are divided and negative ones
    multiplied: division alone would make unlikely tokens likelier.
    """

    def __init__(self, config: RepetitionPenaltyConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        recent = history[:, -self.config.window :]  # a window of 0 is all of it
        values = logits.float()
        ago = torch.arange(recent.shape[1], 0, -1, device=logits.device, dtype=torch.float32)
        never = torch.full_like(values, float("inf"))
        last = never.scatter_reduce(1, recent, ago.expand(recent.shape), "amin")
        # D ** -decay fades the logarithm of the factor: 1 for the last token, 0 after a long time.
        factor = self.config.factor ** last.pow(-self.config.decay)
        penalised = torch.where(values > 0, values / factor, values * factor)
        return torch.where(last.isfinite(), penalised, values)
