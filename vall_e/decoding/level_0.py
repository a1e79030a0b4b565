"""Level 0 of sentences: the interface of decoding strategies, what they work with, and retries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, runtime_checkable

from attrs import evolve, frozen

from vall_e.config.synthesis import SamplingConfig
from vall_e.decoding.ar.choose_state import rows_of
from vall_e.decoding.ar.loop import ArStage
from vall_e.decoding.ar.state import Rows
from vall_e.decoding.job import Decoded, Job
from vall_e.decoding.sampler_chain import Chain
from vall_e.errors import PluginError
from vall_e.interfaces.task import Task
from vall_e.model.valle import Valle

OnFrame = Callable[[], None]
"""Called after each frame, or each pass of masked decoding."""


@runtime_checkable
class Strategy(Protocol):
    """Writes level 0. `capability` is what the model must have learnt: `ar`, or `len` (masks).

    `level_0` has what a strategy works with: `level_0.read(jobs)` gives the next logits of each
    row, `level_0.draw(jobs)` the samplers, `level_0.model` all else; a job has its bounds and its
    random generators.
    """

    capability: Literal["ar", "len"]

    def __call__(
        self,
        level_0: Level0,
        jobs: Sequence[Job],
        attempt: int,
        on_frame: Callable[[], None],
    ) -> Sequence[Decoded]:
        """The codes (1, f) of each job, f from 1 to `job.bounds.most`, and whether it ended.

        A job gets the same codes alone as in any batch. What is random depends on
        `job.generator(attempt, "ar")` alone. `on_frame` is called after each frame or pass.
        """
        ...

    def deterministic(self, level_0: Level0) -> bool:
        """Every seed and attempt gives the same codes, so none is tried again."""
        ...


@runtime_checkable
class Settling(Protocol):
    """A strategy whose codes can be those of `level_0.stage.writing`, one step after the other."""

    def settles(self, level_0: Level0) -> bool:
        """What is written stays, so that a stream may sound before the sentence is finished."""
        ...


@frozen
class Level0:
    """Writes level 0, and the other levels that a step of the AR stage writes."""

    stage: ArStage
    strategy: Strategy
    attempts: int
    frame_rate: float
    length: Task | None
    """The task that predicts lengths, if the model was trained for it."""

    @property
    def model(self) -> Valle:
        return self.stage.model

    @property
    def task(self) -> Task:
        return self.stage.task

    @property
    def sampling(self) -> SamplingConfig:
        return self.stage.sampling

    @property
    def stop(self) -> int:
        """The token that ends a sentence; all below it are codes."""
        return self.model.stop

    def read(self, jobs: Sequence[Job], copies: int = 1) -> Rows:
        """The next logits of each job, from a cache; of `copies` adjacent rows each."""
        return rows_of(self.sampling, self.stage.graphs.record)(
            self.model,
            self.task,
            [self.stage.started(job) for job in jobs],
            most_frames=max(job.bounds.most for job in jobs),
            guidance=self.stage.guidance,
            copies=copies,
        )

    def draw(self, jobs: Sequence[Job], copies: int = 1) -> Chain:
        """New samplers for these rows, as `sampling.ar` says; they never end before a frame.

        A row without usable probabilities gets the token -1.
        """
        return self.stage.chain(0, self.stage.fewest(jobs, copies))

    def failed(self, job: Job, draft: Decoded) -> bool:
        """It is too short, or did not end."""
        return bool(job.bounds.fault(draft.frames, draft.ended, self.frame_rate))

    @property
    def masked(self) -> bool:
        """Level 0 is filled in by masked decoding, not written frame by frame."""
        return self.strategy.capability == "len"

    @property
    def settles(self) -> bool:
        """What is written stays: no retry, other candidate, beam or pass replaces it."""
        settling = isinstance(self.strategy, Settling) and self.strategy.settles(self)
        return settling and self.attempts == 1

    @property
    def deterministic(self) -> bool:
        """Every seed gives the same codes, or with masked decoding the same lengths.

        So no other seed mends a sentence that is too short or too long.
        """
        return self.masked or self.strategy.deterministic(self)

    def __call__(self, jobs: Sequence[Job], on_frame: OnFrame) -> list[Decoded]:
        """The first attempt at each job that does not look like a failure, or its first of all."""
        drafts = self._attempt(jobs, 0, on_frame)
        for attempt in range(1, self.attempts):
            failed = [i for i, job in enumerate(jobs) if self.failed(job, drafts[i])]
            if not failed:
                break
            again = self._attempt([jobs[i] for i in failed], attempt, on_frame)
            for i, draft in zip(failed, again, strict=True):
                drafts[i] = drafts[i] if self.failed(jobs[i], draft) else draft
        return drafts

    def _attempt(self, jobs: Sequence[Job], attempt: int, on_frame: OnFrame) -> list[Decoded]:
        drafts = self.strategy(self, jobs, attempt, on_frame)
        if len(drafts) != len(jobs):
            name = self.sampling.level_0.name
            raise PluginError(
                f"the strategy {name!r} gave {len(drafts)} results for {len(jobs)} sentences",
                hint=f"run `vall-e plugins check {name}`, and report it to its authors",
            )
        return [evolve(draft, attempt=attempt) for draft in drafts]
