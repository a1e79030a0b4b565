"""From sentences to codes: the AR stage, further attempts where it failed, the NAR stage."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from time import perf_counter

import torch
from attrs import evolve, field, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.config.synthesis import SamplingConfig
from vall_e.decoding.ar.beam_search import search
from vall_e.decoding.ar.best_of_n import best, scores
from vall_e.decoding.ar.choose_state import rows_of
from vall_e.decoding.ar.cuda_graphs import Graphs
from vall_e.decoding.ar.loop import Writing, Written, frames_between_looks
from vall_e.decoding.ar.multi_code import StepWriting
from vall_e.decoding.ar.stopping import HoldStop
from vall_e.decoding.compatibility import Fitting
from vall_e.decoding.guidance import Guidance
from vall_e.decoding.interleaved import Duet
from vall_e.decoding.job import Job, Speaking, Spoken
from vall_e.decoding.length import spans_of
from vall_e.decoding.masked import Demasking, demask
from vall_e.decoding.model_pair import Stage
from vall_e.decoding.nar.block_window import WHOLE, BlockWindow
from vall_e.decoding.nar.loop import Refiner
from vall_e.decoding.sampler_chain import Chain
from vall_e.errors import ConfigError
from vall_e.interfaces.task import Sample, Task
from vall_e.model.valle import Valle


@frozen
class Decoder:
    """Writes the codes of sentences: a model, and how it draws."""

    model: Valle
    task: Task
    sampling: SamplingConfig
    attempts: int
    frame_rate: float
    levels: int
    """How many are written, at most."""
    window: BlockWindow = WHOLE
    """What the NAR stage writes at a time."""
    length: Task | None = None
    """What says how long a sentence is, if the model has learnt it."""
    refining: Stage | None = None
    """Another model, which writes the levels after the first; None: `model` does."""
    look_every: int = 0
    """So many frames of level 0 are drawn before they are looked at; 0: as suits the device."""
    graphs: Graphs = field(factory=Graphs)
    """What records the steps of the AR stage."""
    hold_end: bool = False
    """No sentence ends before its fewest frames."""

    def __attrs_post_init__(self) -> None:
        Fitting(
            self.sampling,
            self.model,
            attempts=self.attempts,
            demasks=self.demasks,
            look_every=self.look_every,
            graphs=self.graphs.required,
            hold_end=self.hold_end,
            refines="nar" in self._later.model.config.capabilities,
        ).require()

    @property
    def demasks(self) -> bool:
        """Level 0 is filled in, and not written frame by frame."""
        way = self.sampling.level_0
        return way == "demask" or (way == "auto" and "ar" not in self.model.config.capabilities)

    @property
    def by_chance(self) -> bool:
        """How a sentence ends is drawn, so that another seed or attempt may end it otherwise."""
        searched = self.sampling.beams > 1
        return not (self.demasks or searched or self._draw(0).last_name == "greedy")

    def require_start(self, *, draft: bool) -> None:
        """Raise `ConfigError` where a draft is of no use, or lacks what says how much of it is."""
        start = self.sampling.demask.start
        if draft and not self.demasks:
            raise ConfigError(
                "a draft is of use only where level 0 is filled in",
                hint="leave it out, or set sampling.level_0: demask",
            )
        if draft and not start:
            raise ConfigError(
                "sampling.demask.start is 0, so nothing of the draft would stay",
                hint="set sampling.demask.start: 0.5, more to keep more of it",
            )
        if start and self.demasks and not draft:
            raise ConfigError(
                f"sampling.demask.start: {start:g} says when a draft is taken up; there is none",
                hint="give a recording with --draft, or set sampling.demask.start: 0",
            )

    def __call__(
        self,
        jobs: Sequence[Job],
        *,
        on_frame: Callable[[], None] = lambda: None,
        on_level: Callable[[], None] = lambda: None,
    ) -> list[Spoken]:
        """Decode all jobs side by side. A job gets the same codes alone, up to rounding."""
        started = perf_counter()
        drafts = self._level_0(jobs, on_frame)
        ar_seconds = (perf_counter() - started) / len(jobs)
        started = perf_counter()
        codes = self._other_levels(jobs, drafts, on_level)
        nar_seconds = (perf_counter() - started) / len(jobs)
        return [
            Spoken(
                all_levels,
                draft.written.ended,
                draft.attempt,
                ar_seconds,
                nar_seconds,
                draft.written.effort,
            )
            for all_levels, draft in zip(codes, drafts, strict=True)
        ]

    def speak(
        self,
        job: Job,
        *,
        on_frame: Callable[[], None] = lambda: None,
        on_level: Callable[[], None] = lambda: None,
    ) -> Speaking:
        """As a call with one job, giving what is settled at once.

        Where what is written might have to be taken back (a failed attempt, a draft or beam
        that another beats), nothing is settled before the end.
        """
        once = self.attempts == self.sampling.candidates == self.sampling.beams == 1
        if once and self.window.frames and not self.demasks:
            return Speaking(self._in_turns(job, on_frame, on_level))
        return Speaking.at_once(lambda: self([job], on_frame=on_frame, on_level=on_level)[0])

    def _in_turns(
        self, job: Job, on_frame: Callable[[], None], on_level: Callable[[], None]
    ) -> Generator[Int[Tensor, "k f"], None, Spoken]:
        started = perf_counter()
        writing, write = self._writing([job], 0)
        refiner = self._refiner(on_level)
        duet = Duet(
            job.sample,
            writing,
            write,
            refiner,
            job.generator(0, "nar"),
            on_frame,
            job.begun(refiner.levels),
            ar_seconds=perf_counter() - started,
        )
        yield from duet.blocks()
        [written] = duet.writing.utterances()
        return Spoken(
            duet.written, written.ended, 0, duet.ar_seconds, duet.nar_seconds, written.effort
        )

    def _level_0(self, jobs: Sequence[Job], on_frame: Callable[[], None]) -> list[_Draft]:
        """The first attempt of each job that looks right, or its first of all."""
        if self.demasks:
            return self._demasked(jobs, on_frame)
        drafts = self._attempt(jobs, 0, on_frame)
        for attempt in range(1, self.attempts):
            failed = [i for i, draft in enumerate(drafts) if draft.failed]
            if not failed:
                break
            again = self._attempt([jobs[i] for i in failed], attempt, on_frame)
            for i, draft in zip(failed, again, strict=True):
                drafts[i] = drafts[i] if draft.failed else draft
        return drafts

    def _attempt(
        self, jobs: Sequence[Job], attempt: int, on_frame: Callable[[], None]
    ) -> list[_Draft]:
        count = self.sampling.candidates
        drafts = [
            _Draft(
                written,
                attempt,
                bool(job.bounds.fault(len(written.codes), written.ended, self.frame_rate)),
            )
            for job, written in zip(
                _each(jobs, count), self._written(jobs, attempt, on_frame), strict=True
            )
        ]
        return drafts if count == 1 else self._best(jobs, drafts)

    def _written(
        self, jobs: Sequence[Job], attempt: int, on_frame: Callable[[], None]
    ) -> list[Written]:
        """Level 0 of each candidate of each job."""
        if self.sampling.beams > 1:
            return self._searched(jobs, on_frame)
        writing, write = self._writing(jobs, attempt)
        while writing.unfinished:
            write()
            on_frame()
        return writing.utterances()

    def _demasked(self, jobs: Sequence[Job], on_step: Callable[[], None]) -> list[_Draft]:
        spans = spans_of(self.model, self.length, jobs, self.sampling.demask.stretch)
        found = demask(
            self.model,
            self.task,
            [job.sample for job in jobs],
            [span.frames for span in spans],
            how=Demasking.of(self.sampling.demask),
            generators=[job.generator(0, "ar") for job in jobs],
            drafts=[job.draft for job in jobs],
            guidance=self._guidance(),
            on_step=on_step,
        )
        return [
            _Draft(Written(codes, span.whole), 0, failed=False)
            for codes, span in zip(found, spans, strict=True)
        ]

    def _searched(self, jobs: Sequence[Job], on_frame: Callable[[], None]) -> list[Written]:
        return search(
            self.model,
            self.task,
            [job.sample for job in jobs],
            chain=self._draw(0, self._fewest(jobs, self.sampling.beams)),
            width=self.sampling.beams,
            max_frames=[job.bounds.most for job in jobs],
            length_power=self.sampling.length_power,
            guidance=self._guidance(),
            on_frame=on_frame,
        )

    def _best(self, jobs: Sequence[Job], drafts: Sequence[_Draft]) -> list[_Draft]:
        """The draft of each job that the model likes best."""
        count = self.sampling.candidates
        marks = scores(
            self.model,
            self.task,
            [self._started(job) for job in _each(jobs, count)],
            [draft.written for draft in drafts],
            self.sampling.score,
        )
        chosen = []
        for start in range(0, len(drafts), count):
            mine = slice(start, start + count)
            place = best(marks[mine], [draft.failed for draft in drafts[mine]])
            chosen.append(drafts[start + place])
        return chosen

    def _other_levels(
        self, jobs: Sequence[Job], drafts: Sequence[_Draft], on_level: Callable[[], None]
    ) -> list[Int[Tensor, "k f"]]:
        pairs = list(zip(jobs, drafts, strict=True))
        refiner = self._refiner(on_level)
        begun = [job.begun(self.levels) for job in jobs]
        whole = refiner.all_blocks(
            [
                evolve(job.sample, response=_after(job, draft.written.response[: self.levels]))
                for job, draft in pairs
            ],
            [job.generator(draft.attempt, "nar") for job, draft in pairs],
            begun,
        )
        return [codes[:, known.shape[1] :] for codes, known in zip(whole, begun, strict=True)]

    def _fewest(self, jobs: Sequence[Job], count: int) -> Int[Tensor, " b"] | None:
        """Frames before which no row may end, of `count` rows for each job."""
        if not self.hold_end:
            return None
        fewest = [job.bounds.fewest for job in _each(jobs, count)]
        return torch.tensor(fewest, device=self.model.device)

    def _draw(self, level: int, fewest: Int[Tensor, " b"] | None = None) -> Chain:
        """What draws a level in the AR stage."""
        before = [] if level else [HoldStop(self.model.stop, fewest)]
        return Chain.of(self.sampling.ar, where="sampling.ar", before=before)

    def _writing(
        self, jobs: Sequence[Job], attempt: int
    ) -> tuple[Writing | StepWriting, Callable[[], None]]:
        """The AR stage of some jobs, and what writes a step of it."""
        count = self.sampling.candidates
        generators = [
            job.generator(attempt, "ar", candidate) for job in jobs for candidate in range(count)
        ]
        samples = [self._started(job) for job in jobs]
        most = [job.bounds.most for job in _each(jobs, count)]
        guidance = self._guidance()
        read = rows_of(self.sampling, self.model, self.graphs.record)
        if self.model.stepwise:
            steps = StepWriting(
                self.model, self.task, samples, generators, most, guidance,
                make_draw=self._draw, drafts=count, confidence=self.sampling.confidence,
                read=read,
            )  # fmt: skip
            return steps, steps.step
        frames = Writing(
            self.model, self.task, samples, generators, most, guidance,
            drafts=count, read=read, look_every=self._look_every,
        )  # fmt: skip
        return frames, partial(frames.step, self._draw(0, self._fewest(jobs, count)))

    @property
    def _look_every(self) -> int:
        return frames_between_looks(self.look_every, self.model.device)

    def _started(self, job: Job) -> Sample:
        """The sample, with all levels of what it goes on from where steps read several."""
        if not self.model.stepwise or job.prefix is None:
            return job.sample
        return evolve(job.sample, response=job.begun(self.model.ar_levels))

    def _guidance(self) -> Guidance:
        options = self.sampling
        return Guidance(options.guidance, options.guidance_without, options.guidance_rescale)

    def _refiner(self, on_level: Callable[[], None]) -> Refiner:
        stage = self._later
        return Refiner(
            stage.model,
            stage.task,
            Chain.of(self.sampling.nar, where="sampling.nar"),
            self.levels if "nar" in stage.model.config.capabilities else self._first_levels,
            Guidance(
                self.sampling.nar_guidance,
                self.sampling.nar_guidance_without,
                self.sampling.nar_guidance_rescale,
            ),
            self.window,
            on_level,
        )

    @property
    def _later(self) -> Stage:
        """What writes the levels after the first."""
        return self.refining or Stage(self.model, self.task)

    @property
    def _first_levels(self) -> int:
        """What the AR stage leaves of the levels that are wanted."""
        return min(self.levels, self.model.ar_levels)


def _after(job: Job, codes: Int[Tensor, "n f"]) -> Int[Tensor, "n g"]:
    """What was written, after what the job's response goes on from."""
    return torch.cat([job.begun(len(codes)), codes], dim=1)


def _each(jobs: Sequence[Job], count: int) -> list[Job]:
    """Each job so many times, one after the other."""
    return [job for job in jobs for _ in range(count)]


@frozen(eq=False)
class _Draft:
    """Level 0 of a sentence."""

    written: Written
    attempt: int
    failed: bool
