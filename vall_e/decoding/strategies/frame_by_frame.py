"""The decoding strategy `ar`: frame by frame, the best of several, or a beam search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from vall_e.decoding.ar.beam_search import search
from vall_e.decoding.ar.best_of_n import best, scores
from vall_e.decoding.ar.loop import repeat
from vall_e.decoding.job import Decoded, Job
from vall_e.decoding.level_0 import Level0


class FrameByFrame:
    """Writes level 0, and the other levels that a step of the AR stage writes."""

    capability: Literal["ar", "len"] = "ar"

    def deterministic(self, level_0: Level0) -> bool:
        return level_0.sampling.beams > 1 or level_0.stage.chain(0).last_name == "greedy"

    def settles(self, level_0: Level0) -> bool:
        return level_0.sampling.candidates == level_0.sampling.beams == 1

    def __call__(
        self, level_0: Level0, jobs: Sequence[Job], attempt: int, on_frame: Callable[[], None]
    ) -> list[Decoded]:
        if level_0.sampling.beams > 1:
            return self._search(level_0, jobs, on_frame)
        writing, write = level_0.stage.writing(jobs, attempt)
        while writing.unfinished:
            write()
            on_frame()
        drafts = writing.utterances()
        return drafts if level_0.sampling.candidates == 1 else self._best(level_0, jobs, drafts)

    def _search(
        self, level_0: Level0, jobs: Sequence[Job], on_frame: Callable[[], None]
    ) -> list[Decoded]:
        width = level_0.sampling.beams
        return search(
            level_0.model,
            level_0.task,
            [job.sample for job in jobs],
            chain=level_0.draw(jobs, width),
            width=width,
            max_frames=[job.bounds.most for job in jobs],
            length_power=level_0.sampling.length_power,
            guidance=level_0.stage.guidance,
            on_frame=on_frame,
        )

    def _best(
        self, level_0: Level0, jobs: Sequence[Job], drafts: Sequence[Decoded]
    ) -> list[Decoded]:
        """The candidate of each job that the model scores best."""
        count = level_0.sampling.candidates
        each = repeat(jobs, count)
        marks = scores(
            level_0.model,
            level_0.task,
            [level_0.stage.started(j) for j in each],
            drafts,
            level_0.sampling.score,
        )
        failed = [level_0.failed(job, draft) for job, draft in zip(each, drafts, strict=True)]
        chosen = []
        for start in range(0, len(drafts), count):
            mine = slice(start, start + count)
            chosen.append(drafts[start + best(marks[mine], failed[mine])])
        return chosen
