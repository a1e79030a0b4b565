"""The decoding state of responses that grow step by step: caches, and the next logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.decoding.ar.cuda_graphs import Recorder, Replayed, Step
from vall_e.decoding.ar.layer_stats import Effort
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.interfaces.backbone import Backbone, Cache, Stepping
from vall_e.interfaces.task import Sample, Task
from vall_e.model.last_positions import ends, states_at
from vall_e.model.sequence import Example
from vall_e.model.valle import Valle


class Rows:
    """A row for each response. With guidance, the batch has two rows for each response."""

    follows_tokens: ClassVar[bool] = False
    """The layers that run depend on the drawn tokens, so the host must look at every frame."""

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
        record: Recorder | None = None,
    ) -> None:
        """Read the samples. Each has `copies` adjacent rows, which are equal so far.

        `record` records the steps for replay, if given.
        """
        model.require("ar")
        sides = guidance.sides(samples)
        examples = [Example(tuple(task.segments(s, level=0)), 0) for s in sides]
        self.model = model
        self.guidance = guidance
        self.count = len(samples)
        self.efforts = [Effort() for _ in range(len(samples) * copies)]
        embedded = model.embedding(examples)
        starts = [len(e.target) for e in examples]
        longest = int(embedded.lengths.max())
        step = _steps(model.backbone)
        self._step = Replayed(step, record) if record else step
        self._cache = model.backbone.new_cache(len(examples), longest + most_frames)
        with model.predicting([0] * len(examples)):
            # A shorter sequence uses its first position.
            wanted = ends(embedded, model.config.ahead)
            *earlier, self._hidden = states_at(
                model.backbone, embedded, wanted, cache=self._cache
            ).unbind(1)  # (n, d) each
        self._earlier = earlier
        last = embedded.lengths - 1
        self.device = last.device
        # The next position: the target's own count where positions restart, else the sequence's.
        restart = model.embedding.restart
        self._position = torch.tensor(starts, device=last.device) if restart else embedded.lengths
        if copies > 1:
            self.select(torch.arange(self.count, device=last.device).repeat_interleave(copies))

    def logits(self) -> Float[Tensor, "b v"]:
        """Next-token logits of each row."""
        return self.slot_logits(0)

    @torch.inference_mode()
    def slot_logits(self, slot: int) -> Float[Tensor, "b v"]:
        """Next-token logits of each row, for this slot of the step."""
        hidden = self._earlier[0] if self._earlier else self._hidden
        return self.guidance(self.model.slot_logits(hidden, slot).float())

    def select(self, rows: Int[Tensor, " r"]) -> None:
        """Keep these rows, in this order; a row that is named twice becomes two."""
        sides = self.guidance.rows(rows, self.count)
        self._cache = self._cache.select(sides)
        self._position = self._position[sides]
        self._hidden = self._hidden[sides]
        self._earlier = [hidden[sides] for hidden in self._earlier]
        self.count = len(rows)

    @torch.inference_mode()
    def append(self, tokens: Int[Tensor, " b"]) -> None:
        """Append a code to each row."""
        tokens = tokens.repeat(self.guidance.count)
        self._extend(self.model.embedding.response_codes(tokens[None], 0))

    @torch.inference_mode()
    def append_step(self, tokens: Int[Tensor, "b m"], positions: Int[Tensor, " b"]) -> None:
        """Append a step to each row; `positions` are used where positions restart."""
        if self.model.embedding.restart:
            self._position = positions.repeat(self.guidance.count).to(self.device)
        self._extend(self.model.embedding.step(tokens.repeat(self.guidance.count, 1)))

    def _extend(self, vectors: Float[Tensor, "n d"]) -> None:
        self._earlier = [*self._earlier, self._hidden][1:]
        with self.model.predicting([0] * len(vectors)):
            self._hidden = self._step(vectors, self._position, self._cache)
        self._position = self._position + 1


def _steps(backbone: Backbone) -> Step:
    """Appends one position to each row: by the backbone's own step, or by a forward pass."""
    if isinstance(backbone, Stepping):
        return backbone.steps()

    def step(x: Tensor, positions: Tensor, cache: Cache) -> Tensor:
        hidden, _ = backbone(
            x[:, None],
            lengths=torch.ones_like(positions),
            positions=positions[:, None],
            cache=cache,
        )
        return hidden[:, 0]

    return step
