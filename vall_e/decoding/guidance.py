"""Classifier-free guidance: away from the prediction without the text, or without the prompt.

Ho and Salimans (https://arxiv.org/abs/2207.12598), for language models Sanchez et al.
(https://arxiv.org/abs/2306.17806); rescaled as Lin et al. (https://arxiv.org/abs/2305.08891).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from attrs import frozen
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.interfaces.task import Sample
from vall_e.model.sequence import Condition, without


@frozen
class Guidance:
    """How much the text, or the prompt, is amplified.

    A scale other than 1 runs each request twice: complete, and without what is amplified. Both are
    rows of one batch: first all complete requests, then all others.
    """

    scale: float = 1.0
    """`guided = free + scale * (full - free)`, on logits. 1: no guidance."""
    without: tuple[Condition, ...] = ("text",)
    """What the unconditional side lacks."""
    rescale: float = 0.0
    """How far the standard deviation of the guided logits is scaled back: 1 fully, 0 not at all.

    `guided * (rescale * std(full) / std(guided) + 1 - rescale)`
    """

    @property
    def count(self) -> int:
        """Rows for each request."""
        return 1 if self.scale == 1.0 else 2

    def sides(self, samples: Sequence[Sample]) -> list[Sample]:
        """The samples that are run for these requests."""
        free = [without(s, self.without) for s in samples] if self.count == 2 else []
        return [*samples, *free]

    def rows(self, requests: Int[Tensor, " r"], total: int) -> Int[Tensor, " n"]:
        """The rows of some of `total` requests."""
        return torch.cat([requests + side * total for side in range(self.count)])

    def __call__(self, logits: Float[Tensor, "n v"]) -> Float[Tensor, "b v"]:
        """One row for each request, from its two sides; rescaled row by row."""
        return self._guided(logits, dim=-1)

    def of_one(self, logits: Float[Tensor, "n v"]) -> Float[Tensor, "f v"]:
        """One row for each frame of one request; rescaled over all frames."""
        return self._guided(logits, dim=(0, 1))

    def _guided(self, logits: Tensor, *, dim: int | tuple[int, ...]) -> Tensor:
        if self.count == 1:
            return logits
        told, free = logits.chunk(2)
        guided = free + self.scale * (told - free)
        if not self.rescale:
            return guided
        ratio = told.std(dim, keepdim=True) / guided.std(dim, keepdim=True)
        return guided * (self.rescale * ratio + 1 - self.rescale)


UNGUIDED = Guidance()
"""The model as it is."""
