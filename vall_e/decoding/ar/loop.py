"""The AR stage: level 0, frame by frame, from a cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from attrs import field, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.decoding.ar.choose_state import ReadRows
from vall_e.decoding.ar.layer_stats import Effort
from vall_e.decoding.ar.state import Rows
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.decoding.sampler_chain import UNUSABLE, unusable
from vall_e.interfaces.sampling import Draw, Stateful
from vall_e.interfaces.task import Sample, Task
from vall_e.model.valle import Valle


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
    look_every: int = 1,
    on_frame: Callable[[], None] = lambda: None,
) -> list[Written]:
    """Continue each sample's response (usually empty) until its stop token or its `max_frames`.

    Rows that have ended leave the batch. A row is the same alone as in any batch, up to rounding.
    `look_every` as of `Writing`. `on_frame` is called after each step; what it raises
    (KeyboardInterrupt, say) goes through.
    """
    writing = Writing(
        model, task, samples, generators, max_frames, guidance, read=read, look_every=look_every
    )
    return writing.finish(draw, on_frame)


class Writing:
    """Requests whose level 0 is being written, a frame a step.

    `history` has a row for each unfinished request, and so do the `Rows`. With several `drafts` of
    each sample, each is a request with a generator and a limit of its own; those of a sample lie
    together.

    Tokens stay on the device until they are looked at, `look_every` frames at a time, for a look
    waits for all that was asked of a GPU. Until then no row is known to have ended: all go on, and
    what was drawn after an end is dropped, so that the same is written however seldom one looks.
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
        look_every: int = 1,
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
        self.look_every = 1 if self.rows.follows_tokens else look_every
        if self.look_every > 1:
            _require_own(generators)
        self.history = torch.empty(len(self.active), 0, dtype=torch.long, device=self.rows.device)
        self._unseen: list[Int[Tensor, " b"]] = []

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
        self._unseen.append(tokens)
        if self._look_is_due():
            tokens = self._leave(tokens, draw)
        else:
            # A row that has ended unseen goes on with some code: the stop token has no vector.
            tokens = tokens.clamp(0, self.model.stop - 1)
            self.history = torch.cat([self.history, tokens[:, None]], dim=1)
        if self.active:
            self.rows.append(tokens)

    def _look_is_due(self) -> bool:
        """After so many frames; sooner where no row may have more."""
        if len(self._unseen) == self.look_every:
            return True
        return self.history.shape[1] + 1 == max(self.max_frames[i] for i in self.active)

    def _leave(self, tokens: Int[Tensor, " b"], draw: Draw) -> Int[Tensor, " b"]:
        """Look at what was drawn, `tokens` last; drop the rows that are done. Waits."""
        drawn = torch.stack(self._unseen, dim=1).tolist()
        self._unseen = []
        stay = [
            place
            for place, request in enumerate(self.active)
            if self._record(request, drawn[place])
        ]
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

    def _record(self, request: int, tokens: list[int]) -> bool:
        """Note the next tokens of a request, up to its end; whether it goes on after them."""
        written, most = self.written[request], self.max_frames[request]
        for token in tokens[: most - len(written)]:
            if token == self.model.stop:
                self.ended[request] = True
                return False
            if token == UNUSABLE:
                raise unusable()
            written.append(token)
        return len(written) < most

    @property
    def settled_frames(self) -> list[int]:
        """How many frames of each request have all that this stage writes of them."""
        return [len(codes) for codes in self.written]

    def utterances(self) -> list[Written]:
        return [
            Written(torch.tensor(codes, dtype=torch.long), ended, effort)
            for codes, ended, effort in zip(self.written, self.ended, self.efforts, strict=True)
        ]


def _require_own(generators: Sequence[torch.Generator]) -> None:
    """What a row draws after its end, unseen, must not change what another draws."""
    if len({id(generator) for generator in generators}) < len(generators):
        raise ValueError("rows that are not looked at each frame need a generator of their own")


ON_CUDA = 8
"""A row that has ended goes on for half as many frames on average before that is seen."""


def frames_between_looks(option: int, device: torch.device) -> int:
    """What the option says; by itself (0) each frame on a CPU, which has nothing to wait for."""
    return option or (ON_CUDA if device.type == "cuda" else 1)
