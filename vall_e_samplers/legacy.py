"""Samplers as e-c-k-e-r/vall-e computes them, where that is not what their papers say.

For models that were tuned by ear with these formulas. The plain names are the correct ones.
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
"""Its slope is of a hundred steps from one token to the next, not of a hundred tokens."""
FAR = 60.0
"""Repetitions multiply without end; e ** 60 is far enough, and 32 bits hold it."""


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
    """Divides by the factor once for every occurrence in the window.

    Negative logits grow by that: an unlikely token that came before gets likelier. With a decay the
    penalty is the greater, the longer ago a token came.
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
    """Divides the logit of the stop token, be it positive or negative, by `(frames + 1) ** f`."""

    def __init__(self, config: LegacyLengthPenaltyConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        logits = logits.clone()
        logits[:, self.config.stop] /= (history.shape[1] + 1) ** self.config.factor
        return logits


class LegacyMirostat(Mirostat):
    """Version 1 that starts at a limit of `2 eta`, not `2 tau`, and takes all codebooks for 1024.

    So it begins almost greedily, and opens up over many frames.
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
