"""The AR stage: level 0, frame by frame, from a cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from attrs import Factory, evolve, field, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.config.synthesis import SamplingConfig
from vall_e.decoding.ar.choose_state import ReadRows, rows_of
from vall_e.decoding.ar.cuda_graphs import Graphs
from vall_e.decoding.ar.multi_code import StepWriting
from vall_e.decoding.ar.state import Rows
from vall_e.decoding.ar.stopping import HoldStop
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.decoding.job import Decoded, Job
from vall_e.decoding.sampler_chain import UNUSABLE, Chain, unusable
from vall_e.interfaces.sampling import Draw, Stateful
from vall_e.interfaces.task import Sample, Task
from vall_e.model.valle import Valle


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
) -> list[Decoded]:
    """Continue each sample's response (usually empty) until its stop token or its `max_frames`.

    Finished rows leave the batch. A row is the same alone as in any batch, up to rounding.
    `look_every` as of `Writing`. `on_frame` is called after each step; exceptions
    that it raises (such as KeyboardInterrupt) propagate.
    """
    writing = Writing(
        model, task, samples, generators, max_frames, guidance, read=read, look_every=look_every
    )
    return writing.finish(draw, on_frame)


class Writing:
    """Requests whose level 0 is being written, a frame a step.

    `history` has a row for each unfinished request, and so do the `Rows`. With several `drafts` of
    each sample, each is a request with its own generator and limit; those of a sample are
    adjacent.

    Tokens stay on the device until they are looked at, `look_every` frames at a time, for a look
    waits for all work of a GPU. Until then no row is known to have ended: all continue, and tokens
    after an end are dropped, so that the result does not depend on how often one looks.
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

    def finish(self, draw: Draw, on_frame: Callable[[], None]) -> list[Decoded]:
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
            # A row may have ended without being noticed: it continues with some code.
            tokens = tokens.clamp(0, self.model.stop - 1)
            self.history = torch.cat([self.history, tokens[:, None]], dim=1)
        if self.active:
            self.rows.append(tokens)

    def _look_is_due(self) -> bool:
        """After `look_every` frames; sooner where no row may have more."""
        if len(self._unseen) == self.look_every:
            return True
        return self.history.shape[1] + 1 == max(self.max_frames[i] for i in self.active)

    def _leave(self, tokens: Int[Tensor, " b"], draw: Draw) -> Int[Tensor, " b"]:
        """Read the drawn tokens, `tokens` last; drop finished rows. Waits for the device."""
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
        """Record the next tokens of a request, up to its end; false if it has ended."""
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
        """Complete frames of each request: with all levels that this stage writes."""
        return [len(codes) for codes in self.written]

    def utterances(self) -> list[Decoded]:
        return [
            Decoded(torch.tensor([codes], dtype=torch.long), ended, effort=effort)
            for codes, ended, effort in zip(self.written, self.ended, self.efforts, strict=True)
        ]


def _require_own(generators: Sequence[torch.Generator]) -> None:
    """A row's draws after its end must not change those of another row."""
    if len({id(generator) for generator in generators}) < len(generators):
        raise ValueError("with look_every over 1 each row needs its own generator")


ON_CUDA = 8
"""A row that has ended continues for half as many frames on average."""


def frames_between_looks(option: int, device: torch.device) -> int:
    """The option; 0: every frame on a CPU, which has nothing to wait for."""
    return option or (ON_CUDA if device.type == "cuda" else 1)


def _guidance(stage: ArStage) -> Guidance:
    options = stage.sampling
    return Guidance(options.guidance, options.guidance_without, options.guidance_rescale)


@frozen
class ArStage:
    """The AR stage of a model: what all sentences have in common."""

    model: Valle
    task: Task
    sampling: SamplingConfig
    look_every: int = 0
    """Frames between two looks at the tokens; 0: as suits the device."""
    graphs: Graphs = field(factory=Graphs)
    hold_end: bool = False
    """No sentence ends before its fewest frames."""
    guidance: Guidance = field(init=False, default=Factory(_guidance, takes_self=True))

    def writing(
        self, jobs: Sequence[Job], attempt: int = 0
    ) -> tuple[Writing | StepWriting, Callable[[], None]]:
        """The AR stage of some jobs, and the function that writes its next step."""
        count = self.sampling.candidates
        generators = [
            job.generator(attempt, "ar", candidate) for job in jobs for candidate in range(count)
        ]
        samples = [self.started(job) for job in jobs]
        most = [job.bounds.most for job in repeat(jobs, count)]
        read = rows_of(self.sampling, self.graphs.record)
        if self.model.stepwise:
            steps = StepWriting(
                self.model, self.task, samples, generators, most, self.guidance,
                make_draw=self.chain, drafts=count, confidence=self.sampling.confidence,
                read=read,
            )  # fmt: skip
            return steps, steps.step
        frames = Writing(
            self.model, self.task, samples, generators, most, self.guidance,
            drafts=count, read=read,
            look_every=frames_between_looks(self.look_every, self.model.device),
        )  # fmt: skip
        return frames, partial(frames.step, self.chain(0, self.fewest(jobs, count)))

    def chain(self, level: int, fewest: Int[Tensor, " b"] | None = None) -> Chain:
        """New samplers for a level of the AR stage; `fewest`: frames before which no row ends."""
        before = [] if level else [HoldStop(self.model.stop, fewest)]
        return Chain.of(self.sampling.ar, where="sampling.ar", before=before)

    def fewest(self, jobs: Sequence[Job], count: int) -> Int[Tensor, " b"] | None:
        """Frames before which no row may end, of `count` rows for each job."""
        if not self.hold_end:
            return None
        fewest = [job.bounds.fewest for job in repeat(jobs, count)]
        return torch.tensor(fewest, device=self.model.device)

    def started(self, job: Job) -> Sample:
        """The sample; with all levels of its beginning where a step reads several."""
        if not self.model.stepwise or job.prefix is None:
            return job.sample
        return evolve(job.sample, response=job.begun(self.model.ar_levels))


def repeat(jobs: Sequence[Job], count: int) -> list[Job]:
    """Each job `count` times, one after the other."""
    return [job for job in jobs for _ in range(count)]
