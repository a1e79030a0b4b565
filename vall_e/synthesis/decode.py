"""From sentences to codes: the AR stage, further attempts where it failed, the NAR stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from time import perf_counter

import torch
from attrs import evolve, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.config.schema import SamplingConfig
from vall_e.interfaces import Sample, Task
from vall_e.model.valle import Valle
from vall_e.synthesis.chain import Chain
from vall_e.synthesis.decode_ar import Written, decode_ar
from vall_e.synthesis.decode_nar import decode_nar
from vall_e.synthesis.ending import Bounds, HoldStop
from vall_e.synthesis.guidance import Guidance


@frozen(eq=False)
class Job:
    """A sentence that is to be written as codes."""

    sample: Sample
    seed: int
    """Of its request."""
    place: int
    """In its request, from 0."""
    bounds: Bounds

    def generator(self, attempt: int) -> torch.Generator:
        """Chance of this sentence alone: what else is decoded beside it or before it is nothing.

        It is on the CPU on every device, so that a seed draws the same noise on each.
        """
        digest = blake2b(f"{self.seed}/{self.place}/{attempt}".encode(), digest_size=8).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest) >> 1)


@frozen(eq=False)
class Spoken:
    """The codes of a sentence. Seconds are this sentence's share of its batch."""

    codes: Int[Tensor, "k f"]
    ended: bool
    attempt: int
    ar_seconds: float
    nar_seconds: float


@frozen
class Decoder:
    """A model with its way of drawing."""

    model: Valle
    task: Task
    sampling: SamplingConfig
    attempts: int
    frame_rate: float
    levels: int
    """How many are written, at most."""

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
            Spoken(all_levels, draft.written.ended, draft.attempt, ar_seconds, nar_seconds)
            for all_levels, draft in zip(codes, drafts, strict=True)
        ]

    def _level_0(self, jobs: Sequence[Job], on_frame: Callable[[], None]) -> list[_Draft]:
        """The first attempt of each job that looks right, or its first of all."""
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
        chosen = Chain.of(self.sampling.ar, where="sampling.ar")
        chain = Chain([HoldStop(self.model.stop), chosen])
        generators = [job.generator(attempt) for job in jobs]
        writings = decode_ar(
            self.model,
            self.task,
            [job.sample for job in jobs],
            draw=chain,
            generators=generators,
            max_frames=[job.bounds.most for job in jobs],
            guidance=Guidance(self.sampling.guidance),
            on_frame=on_frame,
        )
        return [
            _Draft(
                written,
                attempt,
                generator,
                bool(job.bounds.fault(len(written.codes), written.ended, self.frame_rate)),
            )
            for job, written, generator in zip(jobs, writings, generators, strict=True)
        ]

    def _other_levels(
        self, jobs: Sequence[Job], drafts: Sequence[_Draft], on_level: Callable[[], None]
    ) -> list[Int[Tensor, "k f"]]:
        if "nar" not in self.model.config.capabilities:
            return [draft.written.codes[None] for draft in drafts]
        return decode_nar(
            self.model,
            self.task,
            [
                evolve(job.sample, response=draft.written.codes[None])
                for job, draft in zip(jobs, drafts, strict=True)
            ],
            draw=Chain.of(self.sampling.nar, where="sampling.nar"),
            generators=[draft.generator for draft in drafts],
            levels=self.levels,
            guidance=Guidance(self.sampling.nar_guidance),
            on_level=on_level,
        )


@frozen(eq=False)
class _Draft:
    """Level 0 of a sentence, with the generator that goes on to draw its other levels."""

    written: Written
    attempt: int
    generator: torch.Generator
    failed: bool
