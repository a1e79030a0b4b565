"""Rows that are run through some layers now, and through the others later or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vall_e.decoding.ar.layer_stats import Effort
from vall_e.decoding.ar.state import Rows
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.interfaces.backbone import LayeredCache
from vall_e.interfaces.task import Sample, Task
from vall_e.model.layer_skip import layered
from vall_e.model.valle import Valle


class LayeredRows(Rows):
    """`rests`: after how many layers a position may wait. Between two rests lies a span of layers.

    A position that has waited is caught up with, by all layers, as soon as a later one needs to see
    it there, so that nothing is approximated. What is deeper in has never more positions than what
    is before it. A row here is a side of a request; waiting states are (m, d), oldest first.
    """

    follows_tokens: ClassVar[bool] = True

    @torch.inference_mode()
    def __init__(
        self,
        model: Valle,
        task: Task,
        samples: Sequence[Sample],
        *,
        most_frames: int,
        guidance: Guidance = UNGUIDED,
        copies: int = 1,
        rests: Sequence[int],
        option: str,
    ) -> None:
        name = model.config.backbone.name
        self._backbone = layered(model.backbone, name=name, option=option)
        self._bounds = (0, *rests, self._backbone.depth)
        self._filled: list[list[int]] = []
        self._offsets: list[int] = []
        self._waiting: list[list[Tensor]] = []
        super().__init__(
            model, task, samples, most_frames=most_frames, guidance=guidance, copies=copies
        )
        lengths = self._cache.lengths.tolist()
        self._filled = [list(lengths) for _ in self._spans]
        none = self._hidden[:0]
        self._waiting = [[none for _ in lengths] for _ in self._spans]
        positions = self._position.tolist()
        self.efforts = [Effort() for _ in range(self.count)]
        self._offsets = [p - n for p, n in zip(positions, lengths, strict=True)]

    @property
    def _spans(self) -> range:
        return range(len(self._bounds) - 1)

    @torch.inference_mode()
    def select(self, rows: Int[Tensor, " r"]) -> None:
        sides = self.guidance.rows(rows, self.count).tolist()
        super().select(rows)
        if self._offsets:
            self.efforts = [self.efforts[row] for row in rows.tolist()]
            self._offsets = [self._offsets[side] for side in sides]
            self._filled = [[filled[side] for side in sides] for filled in self._filled]
            self._waiting = [[waiting[side] for side in sides] for waiting in self._waiting]

    def _rows(self, requests: Sequence[int]) -> list[int]:
        """All sides of some requests: first all as they are, then all of the other side."""
        return [r + side * self.count for side in range(self.guidance.count) for r in requests]

    def _lay(self, rows: Sequence[int], tokens: Int[Tensor, " r"]) -> None:
        """Put a code at the end of some rows, to wait for the first span."""
        vectors = self.model.embedding.response_codes(tokens[None], 0)
        for row, vector in zip(rows, vectors, strict=True):
            self._waiting[0][row] = torch.cat([self._waiting[0][row], vector[None]])

    def _run(self, span: int, rows: Sequence[int]) -> list[Float[Tensor, "m d"]]:
        """Run all that waits for a span in these rows; gives their states after it, row by row."""
        none, chosen = self._hidden[:0], set(rows)
        waiting = [
            states if row in chosen else none for row, states in enumerate(self._waiting[span])
        ]
        counts = [len(states) for states in waiting]
        x = nn.utils.rnn.pad_sequence(waiting, batch_first=True)  # (n, m, d)
        starts = torch.tensor(self._filled[span], device=self.device)
        offsets = torch.tensor(self._offsets, device=self.device)
        steps = torch.arange(x.shape[1], device=self.device)
        cast("LayeredCache", self._cache).rewind(starts)
        with self.model.predicting([0] * len(x)):
            out, _ = self._backbone.span(
                x,
                first=self._bounds[span],
                last=self._bounds[span + 1],
                lengths=torch.tensor(counts, device=self.device),
                positions=(starts + offsets)[:, None] + steps,
                cache=self._cache,
            )
        return [self._pass_on(span, row, out[row, : counts[row]]) for row in rows]

    def _pass_on(self, span: int, row: int, states: Float[Tensor, "m d"]) -> Tensor:
        self._filled[span][row] += len(states)
        self._waiting[span][row] = states[:0]
        if span + 1 in self._spans:
            self._waiting[span + 1][row] = torch.cat([self._waiting[span + 1][row], states])
        return states

    def _say(self, states: Float[Tensor, "r m d"]) -> Float[Tensor, "q m v"]:
        """What comes after each state, by request. `states`: of some requests, all their sides."""
        logits = self.model.logits(self._backbone.exit(states), 0).float()
        return torch.stack([self.guidance(place) for place in logits.unbind(1)], dim=1)
