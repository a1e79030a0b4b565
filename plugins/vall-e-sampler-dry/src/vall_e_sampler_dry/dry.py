"""DRY sampling (p-e-w 2024, https://github.com/oobabooga/text-generation-webui/pull/5677)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e_sampler_dry.options import DryConfig


def matches(
    history: Int[Tensor, "b t"], tail: Int[Tensor, "b e"], longest: int
) -> Int[Tensor, "b t"]:
    """How many tokens (`longest` at most) before each position equal the last ones of `tail`."""
    size = history.shape[1]
    length = torch.zeros_like(history)
    going = torch.ones_like(length, dtype=torch.bool)
    for back in range(1, min(longest, size - 1, tail.shape[1]) + 1):
        # Position i agrees `back` tokens before it; the first `back` positions have none there.
        agrees = torch.zeros_like(going)
        agrees[:, back:] = history[:, :-back] == tail[:, -back, None]
        going = going & agrees
        length += going
    return length


class Dry:
    """Makes a token less likely if it followed the same last tokens before."""

    def __init__(self, config: DryConfig) -> None:
        self.config = config

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        config = self.config
        recent = history[:, -config.window :]  # a window of 0 is all of it
        length = matches(recent, recent, config.longest)
        followed = torch.zeros(logits.shape, dtype=torch.long, device=logits.device)
        followed = followed.scatter_reduce(1, recent, length, "amax")
        penalty = config.multiplier * config.base ** (followed - config.allowed).float()
        return logits.float() - torch.where(followed >= config.allowed, penalty, 0.0)
