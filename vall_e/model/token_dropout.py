"""Errors in the model's training input, which make it more robust against its own errors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from attrs import evolve
from jaxtyping import Float
from torch import Tensor, nn

from vall_e.model.sequence import Example

LAYOUTS = ("response", "steps")
"""Names of the response, as frames and as steps of a pattern."""


class TokenDropout(nn.Module):
    """Replaces some frames of the response by a learned vector.

    `levels` are the predicted levels for which it is active; empty: all. With a rate of 0 there
    is no vector. Outside of training it does nothing.
    """

    def __init__(self, rate: float, levels: Sequence[int], d_model: int) -> None:
        super().__init__()
        self.rate = rate
        self.levels = tuple(levels)
        if rate:
            self.vector = nn.Parameter(torch.empty(d_model))

    def forward(
        self, vectors: Float[Tensor, "b t d"], examples: Sequence[Example]
    ) -> Float[Tensor, "b t d"]:
        """Vectors of the examples, padded on the right. The dropped frames are drawn on the CPU."""
        if not self.rate or not self.training:
            return vectors
        dropped = torch.zeros(vectors.shape[:2], dtype=torch.bool)
        for row, example in enumerate(examples):
            if example.target.name in LAYOUTS and self._serves(example.level):
                frames, end = len(example.target), len(example)
                dropped[row, end - frames : end] = torch.rand(frames) < self.rate
        return torch.where(dropped[..., None].to(vectors.device), self.vector, vectors)

    def _serves(self, level: int) -> bool:
        return not self.levels or level in self.levels


def with_errors(example: Example, chance: float, codebook_size: int) -> Example:
    """With this probability a code of a lower level changes by 1. The target is unchanged.

    Level 0 has no lower levels.
    """
    if not chance or not example.level or example.target.name != "response":
        return example
    ids = example.target.ids.clone()
    known = ids[: example.level]
    sign = torch.randint(0, 2, known.shape) * 2 - 1
    wrong = (torch.rand(known.shape) < chance).to(known.device)
    moved = (known + sign.to(known.device)).clamp(0, codebook_size - 1)
    ids[: example.level] = torch.where(wrong, moved, known)
    target = evolve(example.target, ids=ids)
    return evolve(example, segments=(*example.segments[:-1], target))
