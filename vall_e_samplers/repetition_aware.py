"""Repetition aware sampling (VALL-E 2, Chen et al. 2024, https://arxiv.org/abs/2406.05370)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.plugin import draw_categorical
from vall_e_samplers.options import RepetitionAwareConfig
from vall_e_samplers.top_p import nucleus


class RepetitionAware:
    """Algorithm 1: samples from the nucleus; if that repeats itself, from all tokens instead.

    The AR stage can get stuck in a loop (a long silence, an endless vowel) because the nucleus
    then contains nothing but the loop. The full distribution offers a way out.
    """

    def __init__(self, config: RepetitionAwareConfig) -> None:
        self.config = config

    def draw(
        self,
        history: Int[Tensor, "b t"],
        logits: Float[Tensor, "b v"],
        generators: Sequence[torch.Generator],
    ) -> Int[Tensor, " b"]:
        token = draw_categorical(nucleus(logits, self.config.p), generators)
        # Both are drawn for every row: a branch would make a row's random numbers depend on its
        # past, and would synchronize with the GPU at each frame.
        escape = draw_categorical(logits, generators)
        recent = history[:, -self.config.window :]
        # Divided by the window, not by its filled part: a short history counts as unrepetitive.
        share = (recent == token[:, None]).sum(-1) / self.config.window
        return torch.where(share > self.config.threshold, escape, token)
