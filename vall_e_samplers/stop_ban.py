"""Bans the stop token: an utterance cannot end yet."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e_samplers.options import StopBanConfig


class StopBan:
    """Never samples the stop token before `frames` frames, unless there is no other token."""

    def __init__(self, config: StopBanConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        if 0 < self.config.frames <= history.shape[1]:
            return logits
        banned = logits.clone()
        banned[:, self.config.stop] = float("-inf")
        return torch.where(banned.isfinite().any(-1, keepdim=True), banned, logits)
