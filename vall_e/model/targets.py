"""The targets of the loss: which positions of a batch predict something, and what."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from attrs import evolve, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.model.pattern_targets import PatternTargets
from vall_e.model.patterns import ABSENT
from vall_e.model.sequence import Example, kinds_of
from vall_e.text.vocabulary import EOS

Head = tuple[str, int]
"""A stage, and the level or the slot of a step that one of its heads predicts."""


@frozen(eq=False)
class HeadTargets:
    """What one head predicts in a batch."""

    head: Head
    places: Int[Tensor, " n"]
    """In the flattened batch, rows one after the other: the positions that predict something."""
    ids: Int[Tensor, " n"]
    """The token that is right at each."""
    kinds: tuple[str, ...] = ()
    """The kind of segment that each token is part of; empty if not asked for."""

    def to(self, device: torch.device) -> HeadTargets:
        """The same on a device, without waiting for it."""
        return evolve(
            self,
            places=self.places.to(device, non_blocking=True),
            ids=self.ids.to(device, non_blocking=True),
        )


@frozen
class Targets:
    """How a model's targets are laid out. All is computed on the host."""

    stop: int
    """The token of level 0 that ends an utterance."""
    length_classes: int
    """Of the head that predicts lengths."""
    ahead: int
    """Frames after its own that a position of the AR stage predicts."""
    predicts_prompt: bool
    """Whether a prompt is embedded by one level alone, so that it can be predicted itself."""

    def of_head(
        self, rows: Sequence[Example], head: Head, *, ignore_inputs: bool, kinds: bool = False
    ) -> HeadTargets:
        """The targets of one head in all rows; with `kinds` also the segments they are part of."""
        width = max(map(len, rows))
        own = [(row, example) for row, example in enumerate(rows) if head in _heads(example)]
        found = [self._predictions(example, head, ignore_inputs) for _, example in own]
        return HeadTargets(
            head,
            torch.cat(
                [places + row * width for (row, _), (places, _) in zip(own, found, strict=True)]
            ),
            torch.cat([ids for _, ids in found]),
            self._kinds([example for _, example in own], head) if kinds else (),
        )

    def count(self, example: Example) -> int:
        """Tokens of a whole example, laid out as the backbone reads it, that are predicted."""
        if isinstance(example.target, PatternTargets):
            return int((example.target.targets != ABSENT).sum())
        return example.predicted + max(self._ahead(example) - 1, 0)

    def _ahead(self, example: Example) -> int:
        """The distance from a position to the one that it predicts."""
        if example.parallel:
            return 0
        return self.ahead if example.stage == "ar" else 1

    def _kinds(self, examples: Sequence[Example], head: Head) -> tuple[str, ...]:
        """The kind of segment that each target belongs to, inputs included."""
        found: list[str] = []
        for example in examples:
            places, _ = self._predictions(example, head, False)
            ahead = self._ahead(example)
            kinds = [*kinds_of(example), *["response"] * (ahead - 1)]
            found += [kinds[place + ahead] for place in places.tolist()]
        return tuple(found)

    def _predictions(
        self, example: Example, head: Head, ignore_inputs: bool
    ) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
        """The predicting positions of one sequence, and their targets."""
        _, number = head
        ahead = self._ahead(example)
        offsets, ids = self._answers(example, number)
        places = len(example) - len(example.target) - ahead + offsets
        own = number == example.level  # other slots of a step do not predict inputs
        if ignore_inputs or example.target.name == "text" or not own:
            return places, ids
        inputs = self._inputs(example)[ahead:]
        known = inputs >= 0
        return (
            torch.cat([places, torch.arange(len(inputs))[known]]),
            torch.cat([ids, inputs[known]]),
        )

    def _answers(
        self, example: Example, number: int
    ) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
        """Which of the target's tokens are predicted, and their values."""
        if isinstance(example.target, PatternTargets):
            slot = example.target.targets[number]
            return (slot != ABSENT).nonzero()[:, 0], slot[slot != ABSENT]
        target = example.target.ids.cpu()
        if example.stage == "masked":
            shown, meant = target
            places = (shown != meant).nonzero()[:, 0]
            return places, meant[places]
        ids = target[example.level] if example.stage in ("ar", "nar") else target
        closing = {"ar": [self.stop] * self.ahead, "text": [EOS]}.get(example.stage, [])
        ids = torch.cat([ids, ids.new_tensor(closing)])
        return torch.arange(len(ids)), ids

    def _inputs(self, example: Example) -> Int[Tensor, " n"]:
        """The token at each position before the target, -1 if there is nothing to predict.

        Text and level share the head of the target; ids that it has no class for are left out.
        """
        gap = torch.tensor([-1])
        parts: list[Tensor] = []
        for segment in example.segments[:-1]:
            ids = segment.ids
            if segment.name in ("prompt", "input"):
                ids = ids[example.level] if self.predicts_prompt else torch.full_like(ids[0], -1)
            parts += [ids.cpu(), gap]
        ids = torch.cat(parts)
        classes = self.stop + (example.stage == "ar")
        if example.stage == "length":
            classes = self.length_classes
        return ids.masked_fill(ids >= classes, -1)


def heads_of(rows: Sequence[Example]) -> list[Head]:
    """Every head that predicts something in these rows, in a fixed order."""
    return sorted({head for example in rows for head in _heads(example)})


def _heads(example: Example) -> list[Head]:
    """The stage, with the level of the target or each slot of its steps: one per head."""
    if isinstance(example.target, PatternTargets):
        return [(example.stage, slot) for slot in range(len(example.target.targets))]
    return [(example.stage, example.level)]
