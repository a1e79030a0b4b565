"""Training samples for tasks that replace part of a recording."""

from __future__ import annotations

import random

import torch
from attrs import frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.interfaces.task import Recorded, Source


@frozen(eq=False)
class Splice:
    """Utterances of one speaker: `before . old . after` is to become `before . new . after`."""

    before: Recorded | None
    old: Recorded
    new: Recorded
    after: Recorded | None

    @classmethod
    def draw(
        cls, new: Recorded, source: Source, rng: random.Random, *, only_one_side: float
    ) -> Splice:
        """`new` in place of another utterance, between two others or beside one."""
        before, old, after = (source.neighbour(rng) for _ in range(3))
        chance = rng.random()
        if chance < only_one_side / 2:
            before = None
        elif chance < only_one_side:
            after = None
        return cls(before, old or Recorded(new.text, new.codes[:, :0]), new, after)

    @property
    def edit(self) -> tuple[int, int]:
        """The frames of the recording that are replaced."""
        start = self.before.codes.shape[1] if self.before else 0
        return start, start + self.old.codes.shape[1]

    def text(self, source: Source) -> Int[Tensor, " p"]:
        """The text of the whole result."""
        return source.joined([part.text for part in self._around(self.new)])

    def recording(self) -> Int[Tensor, "k f"]:
        """The recording before the edit."""
        return torch.cat([part.codes for part in self._around(self.old)], dim=1)

    def result(self) -> Int[Tensor, "k g"]:
        """The recording after the edit."""
        return torch.cat([part.codes for part in self._around(self.new)], dim=1)

    def _around(self, middle: Recorded) -> list[Recorded]:
        return [part for part in (self.before, middle, self.after) if part is not None]
