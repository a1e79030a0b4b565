"""From sentences to codes: level 0 first, then all other levels; for one sentence interleaved."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from time import perf_counter
from typing import Literal

import torch
from attrs import Factory, evolve, field, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.config.choices import StrategyChoice
from vall_e.config.synthesis import SamplingConfig
from vall_e.decoding.ar.cuda_graphs import Graphs
from vall_e.decoding.ar.loop import ArStage
from vall_e.decoding.compatibility import ModelFacts, require_fit
from vall_e.decoding.guidance import Guidance
from vall_e.decoding.job import Decoded, Job
from vall_e.decoding.level_0 import Level0, Settling, Strategy
from vall_e.decoding.model_pair import Stage
from vall_e.decoding.nar.block_window import WHOLE, BlockWindow
from vall_e.decoding.nar.loop import Refiner
from vall_e.decoding.sampler_chain import Chain
from vall_e.interfaces.task import Task
from vall_e.model.valle import Valle

OnStep = Callable[[Literal["frame", "level"]], None]
"""Called after each frame of the AR stage and each level of the NAR stage."""
Blocks = Generator[Int[Tensor, "k f"], None, Decoded]
"""Gives codes as soon as they are final; joined they are the sentence, which it returns."""


@frozen
class Decoder:
    """Writes the codes of sentences with one model, or with a pair, and a way to sample."""

    model: Valle
    task: Task
    sampling: SamplingConfig
    attempts: int
    frame_rate: float
    levels: int
    """How many levels are written at most."""
    window: BlockWindow = WHOLE
    """How much the NAR stage writes at a time."""
    length: Task | None = None
    """The task that predicts lengths, if the model was trained for it."""
    refining: Stage | None = None
    """Another model, which writes the levels after the first; None: `model` does."""
    look_every: int = 0
    """Frames of level 0 between two looks at the tokens; 0: as suits the device."""
    graphs: Graphs = field(factory=Graphs)
    """Records the steps of the AR stage as CUDA graphs."""
    hold_end: bool = False
    """No sentence ends before its fewest frames."""
    ar: ArStage = field(init=False, default=Factory(lambda self: self._ar(), takes_self=True))
    level_0: Level0 = field(
        init=False,
        default=Factory(
            lambda self: Level0(
                self.ar,
                _strategy(self.sampling.level_0, self.model),
                self.attempts,
                self.frame_rate,
                self.length,
            ),
            takes_self=True,
        ),
    )
    _nar_guidance: Guidance = field(
        init=False, default=Factory(lambda self: _guidance(self.sampling), takes_self=True)
    )

    def __attrs_post_init__(self) -> None:
        require_fit(
            ModelFacts(
                sampling=self.sampling,
                model=self.model,
                attempts=self.attempts,
                masked=self.level_0.masked,
                own_steps=not (self.level_0.masked or isinstance(self.level_0.strategy, Settling)),
                refines="nar" in self._later.model.config.capabilities,
                sync_interval=self.look_every,
                require_graphs=self.graphs.required,
                hold_end=self.hold_end,
                ar_draw=self.ar.chain(0).last_name,
                nar_state=self._nar_chain().stateful,
            )
        )

    def __call__(self, jobs: Sequence[Job], on_step: OnStep = lambda _: None) -> list[Decoded]:
        """Decode all jobs side by side. A job gets the same codes alone, up to rounding."""
        started = perf_counter()
        drafts = self.level_0(jobs, partial(on_step, "frame"))
        between = perf_counter()
        codes = self._other_levels(jobs, drafts, on_step)
        shares = (between - started) / len(jobs), (perf_counter() - between) / len(jobs)
        return [
            evolve(draft, codes=whole, ar_seconds=shares[0], nar_seconds=shares[1])
            for whole, draft in zip(codes, drafts, strict=True)
        ]

    def blocks(self, job: Job, on_step: OnStep = lambda _: None) -> Blocks:
        """As a call with one job, giving codes as soon as they are final.

        Where codes might be replaced (by a retry, a candidate, a beam), they are final at the end.
        """
        if self.window.frames and self.level_0.settles:
            return (yield from self._interleaved(job, on_step))
        [decoded] = self([job], on_step)
        yield decoded.codes
        return decoded

    def _interleaved(self, job: Job, on_step: OnStep) -> Blocks:
        """The AR stage writes until a block is complete; then the NAR stage writes that block."""
        started = perf_counter()
        writing, write = self.ar.writing([job])
        refiner = self._refiner(on_step)
        generator = job.generator(0, "nar")
        begun = final = job.begun(refiner.levels)
        ar_seconds, nar_seconds = perf_counter() - started, 0.0
        ended = False
        while not ended:
            ended = not writing.unfinished
            if not ended:
                started = perf_counter()
                write()
                on_step("frame")
                ar_seconds += perf_counter() - started
            frames = begun.shape[1] + writing.settled_frames[0]
            while refiner.window.block(final.shape[1], frames, ended=ended):
                start, started = final.shape[1], perf_counter()
                [known] = writing.utterances()
                sample = evolve(job.sample, response=_continued(job, known.codes[: refiner.levels]))
                [final] = refiner.next_block([sample], [final], [generator], ended=ended)
                nar_seconds += perf_counter() - started
                yield final[:, start:]
        [written] = writing.utterances()
        return evolve(
            written,
            codes=final[:, begun.shape[1] :],
            ar_seconds=ar_seconds,
            nar_seconds=nar_seconds,
        )

    def _other_levels(
        self, jobs: Sequence[Job], drafts: Sequence[Decoded], on_step: OnStep
    ) -> list[Int[Tensor, "k f"]]:
        pairs = list(zip(jobs, drafts, strict=True))
        begun = [job.begun(self.levels) for job in jobs]
        whole = self._refiner(on_step).all_blocks(
            [
                evolve(job.sample, response=_continued(job, draft.codes[: self.levels]))
                for job, draft in pairs
            ],
            [job.generator(draft.attempt, "nar") for job, draft in pairs],
            begun,
        )
        return [codes[:, known.shape[1] :] for codes, known in zip(whole, begun, strict=True)]

    def _ar(self) -> ArStage:
        return ArStage(
            self.model, self.task, self.sampling, self.look_every, self.graphs, self.hold_end
        )

    def _refiner(self, on_step: OnStep) -> Refiner:
        stage = self._later
        refines = "nar" in stage.model.config.capabilities
        return Refiner(
            stage.model,
            stage.task,
            self._nar_chain(),
            self.levels if refines else min(self.levels, self.model.ar_levels),
            self._nar_guidance,
            self.window,
            partial(on_step, "level"),
        )

    def _nar_chain(self) -> Chain:
        return Chain.of(self.sampling.nar, where="sampling.nar")

    @property
    def _later(self) -> Stage:
        """The model that writes the levels after the first."""
        return self.refining or Stage(self.model, self.task)


def _strategy(choice: StrategyChoice, model: Valle) -> Strategy:
    strategy: Strategy = choice.component.build(choice.options, model=model)
    return strategy


def _guidance(options: SamplingConfig) -> Guidance:
    return Guidance(
        options.nar_guidance, options.nar_guidance_without, options.nar_guidance_rescale
    )


def _continued(job: Job, codes: Int[Tensor, "n f"]) -> Int[Tensor, "n g"]:
    """New codes after those that the job's response begins with."""
    return torch.cat([job.begun(len(codes)), codes], dim=1)
