"""Samplers as e-c-k-e-r/vall-e computes them, where that differs from their papers.

For models that were tuned by ear with these formulas. The samplers without `legacy` are correct.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from vall_e_samplers.legacy_options import (
    LegacyLengthPenaltyConfig,
    LegacyMirostatConfig,
    LegacyRepetitionPenaltyConfig,
)
from vall_e_samplers.mirostat import Mirostat, zipf_count
from vall_e_samplers.options import MirostatConfig

MEASURED = 101
"""Its slope spans a hundred steps between tokens, not a hundred tokens."""
FAR = 60.0
"""Repetitions multiply without limit; e ** 60 is enough, and fits into 32 bits."""


def divided(
    logits: Float[Tensor, "b v"],
    history: Int[Tensor, "b t"],
    counted: Bool[Tensor, "b t"],
    *,
    factor: float,
    decay: float,
) -> Float[Tensor, "b v"]:
    """Logits divided by `factor * D ** decay` for each counted token, D steps before the end."""
    ago = torch.arange(history.shape[1], 0, -1, device=logits.device, dtype=torch.float32)
    each = (math.log(factor) + decay * ago.log()) * counted
    total = torch.zeros_like(logits, dtype=torch.float32).scatter_add(1, history, each)
    return logits.float() / total.clamp(-FAR, FAR).exp()


class LegacyRepetitionPenalty:
    """Divides by the factor once for each occurrence in the window.

    Negative logits grow by that: an unlikely token becomes likelier when it repeats. With a decay,
    the penalty increases with the time since a token occurred.
    """

    def __init__(self, config: LegacyRepetitionPenaltyConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        recent = history[:, -self.config.window :]  # a window of 0 is all of it
        counted = torch.ones_like(recent, dtype=torch.bool)
        config = self.config
        return divided(logits, recent, counted, factor=config.factor, decay=config.decay)


class LegacyLengthPenalty:
    """Divides the stop token's logit, positive or negative, by `(frames + 1) ** factor`."""

    def __init__(self, config: LegacyLengthPenaltyConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        logits = logits.clone()
        logits[:, self.config.stop] /= (history.shape[1] + 1) ** self.config.factor
        return logits


class LegacyMirostat(Mirostat):
    """Version 1 with an initial limit of `2 eta` instead of `2 tau`, and a fixed size of 1024.

    So it begins almost greedily, and allows more tokens over many frames.
    """

    def __init__(self, config: LegacyMirostatConfig) -> None:
        super().__init__(MirostatConfig(config.tau, config.eta))
        self.size = config.size
        self.start = 2 * config.eta

    def kept(
        self, surprise: Float[Tensor, "b v"], limit: Float[Tensor, " b"]
    ) -> Bool[Tensor, "b v"]:
        k = zipf_count(surprise[:, :MEASURED], limit, self.size)
        return torch.arange(surprise.shape[-1], device=surprise.device) < k[:, None]
