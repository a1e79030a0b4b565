"""The AR stage: level 0, frame by frame, from a cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from attrs import field, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.interfaces.sampling import Draw, Stateful
from vall_e.interfaces.task import Sample, Task
from vall_e.model.valle import Valle
from vall_e.synthesis.depth import ReadRows
from vall_e.synthesis.effort import Effort
from vall_e.synthesis.guidance import UNGUIDED, Guidance
from vall_e.synthesis.rows import Rows


@frozen(eq=False)
class Written:
    """What the AR stage wrote for one request."""

    codes: Int[Tensor, " f"]
    ended: bool
    """The model wrote the stop token itself; else it was cut off at the longest allowed."""
    effort: Effort = field(factory=Effort)
    """Where not all layers ran for all frames."""
    later: Int[Tensor, "m f"] | None = None
    """The other levels, where the AR stage writes them too."""

    @property
    def response(self) -> Int[Tensor, "n f"]:
        """All levels that are written."""
        first = self.codes[None]
        return first if self.later is None else torch.cat([first, self.later])


def decode_ar(
    model: Valle,
    task: Task,
    samples: Sequence[Sample],
    *,
    draw: Draw,
    generators: Sequence[torch.Generator],
    max_frames: Sequence[int],
    guidance: Guidance = UNGUIDED,
    read: ReadRows = Rows,
    on_frame: Callable[[], None] = lambda: None,
) -> list[Written]:
    """Continue each sample's response (usually empty) until its stop token or its `max_frames`.

    Rows that have ended leave the batch. A row is the same alone as in any batch, up to rounding.
    `on_frame` is called after each step; what it raises (KeyboardInterrupt, say) goes through.
    """
    writing = Writing(model, task, samples, generators, max_frames, guidance, read=read)
    return writing.finish(draw, on_frame)


class Writing:
    """Requests whose level 0 is being written, a frame a step.

    `history` has a row for each unfinished request, and so do the `Rows`. With several `drafts` of
    each sample, each is a request with a generator and a limit of its own; those of a sample lie
    together.
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
        *,
        drafts: int = 1,
        read: ReadRows = Rows,
    ) -> None:
        self.model = model
        self.active = list(range(len(samples) * drafts))
        self.generators = list(generators)
        self.max_frames = list(max_frames)
        self.ended = [False] * len(self.active)
        self.written: list[list[int]] = [[] for _ in self.active]
        self.rows = read(
            model,
            task,
            samples,
            most_frames=max(max_frames),
            guidance=guidance,
            copies=drafts,
        )
        self.efforts = list(self.rows.efforts)
        self.history = torch.empty(len(self.active), 0, dtype=torch.long, device=self.rows.device)

    def finish(self, draw: Draw, on_frame: Callable[[], None]) -> list[Written]:
        """Write until all requests are finished."""
        while self.unfinished:
            self.step(draw)
            on_frame()
        return self.utterances()

    @property
    def unfinished(self) -> bool:
        return bool(self.active)

    @torch.inference_mode()
    def step(self, draw: Draw) -> None:
        """Write one frame of each unfinished request."""
        logits = self.rows.logits()
        tokens = draw.draw(self.history, logits, [self.generators[i] for i in self.active])
        tokens = self._leave(tokens, draw)
        if self.active:
            self.rows.append(tokens)

    def _leave(self, tokens: Int[Tensor, " b"], draw: Draw) -> Int[Tensor, " b"]:
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
                self.rows.select(kept)
                if isinstance(draw, Stateful):
                    draw.select(kept)
                self.history, tokens = self.history[kept], tokens[kept]
        return tokens

    @property
    def settled_frames(self) -> list[int]:
        """How many frames of each request have all that this stage writes of them."""
        return [len(codes) for codes in self.written]

    def utterances(self) -> list[Written]:
        return [
            Written(torch.tensor(codes, dtype=torch.long), ended, effort)
            for codes, ended, effort in zip(self.written, self.ended, self.efforts, strict=True)
        ]
