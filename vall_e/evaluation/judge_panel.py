"""The judges of one evaluation: those that are available, and why others are not."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from multiprocessing import parent_process
from threading import Thread
from typing import Any

import torch
from attrs import field, frozen
from torch.utils.data import DataLoader, Dataset

from vall_e.config.choices import JudgeChoice
from vall_e.errors import AudioError, PluginError, UnavailableError, VallEError
from vall_e.evaluation.clips import EvalClip
from vall_e.interfaces.judge import Case, Evidence, Figure, Judge, Score, Verdict

log = logging.getLogger(__name__)


@frozen
class Judged:
    """A clip, and the verdicts of all judges."""

    item: EvalClip
    scores: Mapping[str, Score]
    notes: Mapping[str, str]
    problem: str = ""
    """Why it cannot be read; then no figure has an amount."""
    failures: Mapping[str, str] = field(factory=dict)
    """By judge: how it failed on this clip."""


@frozen(eq=False)
class NamedJudge:
    """A judge with the name of its component."""

    name: str
    judge: Judge

    def __call__(self, evidence: Evidence) -> Verdict | str:
        """Its verdict, or how it failed: then the other judges still count."""
        try:
            return self.judge(evidence)
        except Exception as exc:
            log.debug("the judge %s failed", self.name, exc_info=True)
            return _told(exc)


@frozen(eq=False)
class Panel:
    """Judges, each with figures of its own."""

    named: Sequence[NamedJudge]
    unavailable: Mapping[str, str]
    """Why judges are not available, and what to do about it."""

    @classmethod
    def of(cls, choices: Sequence[JudgeChoice], case: Case, *, all_of_them: bool) -> Panel:
        """Build the judges. `all_of_them`: one that cannot be built is an error, not left out."""
        judges: list[NamedJudge] = []
        owners: dict[str, str] = {}
        unavailable: dict[str, str] = {}
        for choice in choices:
            try:
                judge = choice.build(case=case)
            except Exception as exc:
                if all_of_them:
                    raise
                log.debug("the judge %s cannot be built", choice.name, exc_info=True)
                unavailable[choice.name] = _told(exc)
                continue
            _claim(owners, choice.name, judge)
            judges.append(NamedJudge(choice.name, judge))
        return cls(judges, unavailable)

    @property
    def judges(self) -> list[Judge]:
        return [one.judge for one in self.named]

    @property
    def figures(self) -> dict[str, Figure]:
        return {name: f for judge in self.judges for name, f in judge.figures.items()}

    def __call__(self, item: EvalClip) -> Judged:
        try:
            evidence = item.evidence()
        except AudioError as exc:
            none = {name: Score(None, reason=exc.message) for name in self.figures}
            return Judged(item, none, {}, problem=exc.message)
        scores: dict[str, Score] = {}
        notes: dict[str, str] = {}
        failures: dict[str, str] = {}
        for one in self.named:
            verdict = one(evidence)
            if isinstance(verdict, str):
                failures[one.name] = verdict
                scores |= {name: Score(None, reason=verdict) for name in one.judge.figures}
            else:
                scores |= verdict.scores
                notes |= verdict.notes
        return Judged(item, scores, notes, failures=failures)


def _told(exc: Exception) -> str:
    """An error in a line for the report."""
    if isinstance(exc, VallEError):
        return f"{exc.message}. {exc.hint}" if exc.hint else exc.message
    return f"{type(exc).__name__}: {exc}"


def _claim(owners: dict[str, str], name: str, judge: Judge) -> None:
    """Record the judge of each figure. Raises `PluginError` if another has the same figure."""
    for figure in judge.figures:
        if figure in owners:
            raise PluginError(
                f"the judges {owners[figure]} and {name} both give the figure {figure!r}",
                hint="choose one of them with --judge",
            )
        owners[figure] = name


def judge_all(
    items: Sequence[EvalClip],
    panel: Panel,
    make: Callable[[], Panel],
    *,
    workers: int,
    on_judged: Callable[[Judged], None] = lambda _: None,
) -> list[Judged]:
    """The panel's verdicts, in the order of the clips; `on_judged` is called after each.

    With `workers`, this many processes judge; `make`, which must be picklable, makes their panels.
    Raises `UnavailableError` if one of them is killed; the others then end too.
    """
    judged = []
    try:
        for one in _verdicts(items, panel, make, workers):
            judged.append(one)
            on_judged(one)
    except RuntimeError as exc:  # also raised by torch in a signal handler within `on_judged`
        if not any(words in str(exc) for words in KILLED):
            raise
        traceback.clear_frames(exc.__traceback__)  # otherwise it keeps the loader and its processes
        raise UnavailableError(
            f"a judging process was killed: {exc}",
            hint="run the command again; if memory is short, use fewer --workers",
        ) from exc
    return judged


KILLED = ("exited unexpectedly", "is killed by signal")
"""Parts of torch's messages about a worker that has died."""


def _verdicts(
    items: Sequence[EvalClip], panel: Panel, make: Callable[[], Panel], workers: int
) -> Iterable[Judged]:
    if workers == 0 or not items:
        return map(panel, items)
    return DataLoader(
        _Waiting(items, make),
        batch_size=None,
        num_workers=min(workers, len(items), 4 * (os.cpu_count() or 1)),
        multiprocessing_context="spawn",
        prefetch_factor=4,
        worker_init_fn=_end_with_parent,
    )


def _end_with_parent(worker: int) -> None:
    """Watch for the parent's death in a thread: a worker with a full pipe does not notice it.

    The thread waits for a pipe that the parent holds open, so an earlier death is noticed too.
    """

    def watch() -> None:
        if parent := parent_process():
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()


class _Waiting(Dataset[Any]):
    """Items, judged when requested; each process has its own panel."""

    def __init__(self, items: Sequence[EvalClip], make: Callable[[], Panel]) -> None:
        self.items = items
        self.make = make
        self.panel: Panel | None = None

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Judged:
        if self.panel is None:
            torch.set_num_threads(1)  # other cores belong to other workers
            self.panel = self.make()
        return self.panel(self.items[index])
