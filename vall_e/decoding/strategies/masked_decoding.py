"""The decoding strategy `demask`: lengths that are given or predicted, then masked decoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from vall_e.decoding.job import Decoded, Job
from vall_e.decoding.length import spans_of
from vall_e.decoding.level_0 import Level0
from vall_e.decoding.masked import Demasking, demask


class MaskedDecoding:
    """Fills level 0 in, in a few passes."""

    capability: Literal["ar", "len"] = "len"

    def deterministic(self, level_0: Level0) -> bool:
        options = level_0.sampling.demask
        return options.choice == "confidence" and not options.temperature and not options.start

    def __call__(
        self, level_0: Level0, jobs: Sequence[Job], attempt: int, on_frame: Callable[[], None]
    ) -> list[Decoded]:
        options = level_0.sampling.demask
        spans = spans_of(level_0.model, level_0.length, jobs, options.stretch)
        found = demask(
            level_0.model,
            level_0.task,
            [job.sample for job in jobs],
            [span.frames for span in spans],
            how=Demasking.of(options),
            generators=[job.generator(attempt, "ar") for job in jobs],
            drafts=[job.draft for job in jobs],
            guidance=level_0.stage.guidance,
            on_step=on_frame,
        )
        return [Decoded(codes[None], span.whole) for codes, span in zip(found, spans, strict=True)]
