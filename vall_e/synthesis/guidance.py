"""Classifier-free guidance: away from what the model would say without the text.

Ho and Salimans (https://arxiv.org/abs/2207.12598), for language models Sanchez et al.
(https://arxiv.org/abs/2306.17806).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from attrs import frozen
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.interfaces import Sample
from vall_e.model.sequence import wordless


@frozen
class Guidance:
    """How much more the text counts than the model itself makes it count.

    A scale other than 1 runs each request twice, with its text and without. The two sides are
    rows of one batch: first all with their texts, then all without.
    """

    scale: float = 1.0
    """`log p = free + scale * (with text - free)`. 1: the model as it is."""

    @property
    def count(self) -> int:
        """Rows that a request takes."""
        return 1 if self.scale == 1.0 else 2

    def sides(self, samples: Sequence[Sample]) -> list[Sample]:
        """What is run for these requests."""
        free = [wordless(sample) for sample in samples] if self.count == 2 else []
        return [*samples, *free]

    def rows(self, requests: Int[Tensor, " r"], total: int) -> Int[Tensor, " n"]:
        """The rows of some of `total` requests."""
        return torch.cat([requests + side * total for side in range(self.count)])

    def __call__(self, logits: Float[Tensor, "n v"]) -> Float[Tensor, "b v"]:
        """One distribution a request, of those of its sides."""
        if self.count == 1:
            return logits
        told, free = logits.log_softmax(-1).chunk(2)
        return free + self.scale * (told - free)


UNGUIDED = Guidance()
"""The model as it is."""
