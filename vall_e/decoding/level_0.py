"""Level 0 of sentences: frame by frame, by beam search or by masked decoding; and retries."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import evolve, frozen

from vall_e.decoding.ar.beam_search import search
from vall_e.decoding.ar.best_of_n import best, scores
from vall_e.decoding.ar.loop import ArStage, repeat
from vall_e.decoding.job import Decoded, Job
from vall_e.decoding.length import spans_of
from vall_e.decoding.masked import Demasking, demask
from vall_e.interfaces.task import Task

OnFrame = Callable[[], None]
"""Called after each frame, or each pass of masked decoding."""


@frozen
class Level0:
    """Writes level 0, and the other levels that a step of the AR stage writes."""

    stage: ArStage
    attempts: int
    frame_rate: float
    length: Task | None
    """The task that predicts lengths, if the model was trained for it."""

    @property
    def masked(self) -> bool:
        """Level 0 is filled in by masked decoding, not written frame by frame."""
        way = self.stage.sampling.level_0
        return way == "demask" or (
            way == "auto" and "ar" not in self.stage.model.config.capabilities
        )

    @property
    def retractable(self) -> bool:
        """What is written may be replaced: by a retry, another candidate, beam or pass."""
        options = self.stage.sampling
        return self.masked or not self.attempts == options.candidates == options.beams == 1

    @property
    def deterministic(self) -> bool:
        """Every seed gives the same codes."""
        searched = self.stage.sampling.beams > 1
        return self.masked or searched or self.stage.chain(0).last_name == "greedy"

    def __call__(self, jobs: Sequence[Job], on_frame: OnFrame) -> list[Decoded]:
        """The first attempt at each job that does not look like a failure, or its first of all."""
        if self.masked:
            return self._fill(jobs, on_frame)
        drafts = self._attempt(jobs, 0, on_frame)
        for attempt in range(1, self.attempts):
            failed = [i for i, job in enumerate(jobs) if self._failed(job, drafts[i])]
            if not failed:
                break
            again = self._attempt([jobs[i] for i in failed], attempt, on_frame)
            for i, draft in zip(failed, again, strict=True):
                drafts[i] = drafts[i] if self._failed(jobs[i], draft) else draft
        return drafts

    def _attempt(self, jobs: Sequence[Job], attempt: int, on_frame: OnFrame) -> list[Decoded]:
        if self.stage.sampling.beams > 1:
            return self._search(jobs, on_frame)
        writing, write = self.stage.writing(jobs, attempt)
        while writing.unfinished:
            write()
            on_frame()
        drafts = [evolve(draft, attempt=attempt) for draft in writing.utterances()]
        return drafts if self.stage.sampling.candidates == 1 else self._best(jobs, drafts)

    def _search(self, jobs: Sequence[Job], on_frame: OnFrame) -> list[Decoded]:
        return search(
            self.stage.model,
            self.stage.task,
            [job.sample for job in jobs],
            chain=self.stage.chain(0, self.stage.fewest(jobs, self.stage.sampling.beams)),
            width=self.stage.sampling.beams,
            max_frames=[job.bounds.most for job in jobs],
            length_power=self.stage.sampling.length_power,
            guidance=self.stage.guidance,
            on_frame=on_frame,
        )

    def _best(self, jobs: Sequence[Job], drafts: Sequence[Decoded]) -> list[Decoded]:
        """The candidate of each job that the model scores best."""
        count = self.stage.sampling.candidates
        each = repeat(jobs, count)
        marks = scores(
            self.stage.model,
            self.stage.task,
            [self.stage.started(j) for j in each],
            drafts,
            self.stage.sampling.score,
        )
        failed = [self._failed(job, draft) for job, draft in zip(each, drafts, strict=True)]
        chosen = []
        for start in range(0, len(drafts), count):
            mine = slice(start, start + count)
            chosen.append(drafts[start + best(marks[mine], failed[mine])])
        return chosen

    def _fill(self, jobs: Sequence[Job], on_frame: OnFrame) -> list[Decoded]:
        """Masked decoding, of lengths that are given or predicted."""
        spans = spans_of(self.stage.model, self.length, jobs, self.stage.sampling.demask.stretch)
        found = demask(
            self.stage.model,
            self.stage.task,
            [job.sample for job in jobs],
            [span.frames for span in spans],
            how=Demasking.of(self.stage.sampling.demask),
            generators=[job.generator(0, "ar") for job in jobs],
            drafts=[job.draft for job in jobs],
            guidance=self.stage.guidance,
            on_step=on_frame,
        )
        return [Decoded(codes[None], span.whole) for codes, span in zip(found, spans, strict=True)]

    def _failed(self, job: Job, draft: Decoded) -> bool:
        return bool(job.bounds.fault(draft.frames, draft.ended, self.frame_rate))
