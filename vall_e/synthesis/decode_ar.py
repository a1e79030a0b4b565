"""The AR stage: level 0, frame by frame, from a cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from attrs import frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.interfaces import Draw, Sample, Task
from vall_e.model.sequence import Example
from vall_e.model.valle import Valle
from vall_e.synthesis.guidance import UNGUIDED, Guidance


@frozen(eq=False)
class Written:
    """What the AR stage wrote for one request."""

    codes: Int[Tensor, " f"]
    ended: bool
    """The model wrote the stop token itself; else it was cut off at the longest allowed."""


def decode_ar(
    model: Valle,
    task: Task,
    samples: Sequence[Sample],
    *,
    draw: Draw,
    generators: Sequence[torch.Generator],
    max_frames: Sequence[int],
    guidance: Guidance = UNGUIDED,
    on_frame: Callable[[], None] = lambda: None,
) -> list[Written]:
    """Continue each sample's response (usually empty) until its stop token or its `max_frames`.

    Rows that have ended leave the batch. A row is the same alone as in any batch, up to rounding.
    `on_frame` is called after each step; what it raises (KeyboardInterrupt, say) goes through.
    """
    writing = Writing(model, task, samples, generators, max_frames, guidance)
    while writing.unfinished:
        writing.step(draw)
        on_frame()
    return writing.utterances()


class Writing:
    """Requests whose level 0 is being written, a frame a step.

    The batch has a row for each side of each unfinished request, one side after the other (see
    `Guidance`); `history` has one for each request.
    """

    @torch.inference_mode()
    def __init__(
        self,
        model: Valle,
        task: Task,
        samples: Sequence[Sample],
        generators: Sequence[torch.Generator],
        max_frames: Sequence[int],
        guidance: Guidance = UNGUIDED,
    ) -> None:
        model.require("ar")
        sides = guidance.sides(samples)
        examples = [Example(tuple(task.segments(s, level=0)), 0) for s in sides]
        self.model = model
        self.guidance = guidance
        self.active = list(range(len(generators)))
        self.generators = list(generators)
        self.max_frames = list(max_frames)
        self.ended = [False] * len(self.active)
        self.written: list[list[int]] = [[] for _ in self.active]
        embedded = model.embedding(examples)
        starts = [len(e.target) for e in examples]
        longest = int(embedded.lengths.max())
        self.cache = model.backbone.new_cache(len(examples), longest + max(max_frames))
        hidden, _ = model.backbone(
            embedded.vectors,
            lengths=embedded.lengths,
            positions=embedded.positions,
            cache=self.cache,
        )
        last = embedded.lengths - 1
        row = torch.arange(len(examples), device=last.device)
        self.hidden = hidden[row, last]  # (b, d)
        # The next position: the target's own count where positions restart, else the sequence's.
        restart = model.embedding.restart
        self.position = torch.tensor(starts, device=last.device) if restart else embedded.lengths
        self.history = torch.empty(len(self.active), 0, dtype=torch.long, device=last.device)

    @property
    def unfinished(self) -> bool:
        return bool(self.active)

    @torch.inference_mode()
    def step(self, draw: Draw) -> None:
        """Write one frame of each unfinished request."""
        logits = self.guidance(self.model.logits(self.hidden, 0).float())
        tokens = draw.draw(self.history, logits, [self.generators[i] for i in self.active])
        tokens = self._leave(tokens)
        if self.active:
            self._advance(tokens)

    def _leave(self, tokens: Int[Tensor, " b"]) -> Int[Tensor, " b"]:
        """Record the tokens; drop the rows that are done with them."""
        stay = []
        for place, (request, token) in enumerate(zip(self.active, tokens.tolist(), strict=True)):
            if token == self.model.stop:
                self.ended[request] = True
                continue
            self.written[request].append(token)
            if len(self.written[request]) < self.max_frames[request]:
                stay.append(place)
        self.history = torch.cat([self.history, tokens[:, None]], dim=1)
        if len(stay) < len(self.active):
            self.active = [self.active[place] for place in stay]
            if stay:
                kept = torch.tensor(stay, device=tokens.device)
                sides = self.guidance.rows(kept, len(tokens))
                self.cache = self.cache.select(sides)
                self.position = self.position[sides]
                self.history, tokens = self.history[kept], tokens[kept]
        return tokens

    def _advance(self, tokens: Int[Tensor, " b"]) -> None:
        tokens = tokens.repeat(self.guidance.count)
        vectors = self.model.embedding.response_codes(tokens[None], 0)[:, None]  # (b, 1, d)
        hidden, _ = self.model.backbone(
            vectors,
            lengths=torch.ones_like(self.position),
            positions=self.position[:, None],
            cache=self.cache,
        )
        self.hidden = hidden[:, 0]
        self.position = self.position + 1

    def utterances(self) -> list[Written]:
        return [
            Written(torch.tensor(codes, dtype=torch.long), ended)
            for codes, ended in zip(self.written, self.ended, strict=True)
        ]
