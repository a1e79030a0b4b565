"""The progress line of `vall-e synth`: on a terminal, and nowhere else."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from vall_e.synthesis import session


class ProgressDisplay:
    """Shows the progress of a request, called at each step. The AR stage's total is unknown."""

    def __init__(self, console: Console) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._progress = Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        )
        self._task = self._progress.add_task("reading", total=None)

    def __enter__(self) -> ProgressDisplay:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, at: session.Progress) -> None:
        stage = f"level {at.levels}" if at.levels else f"frame {at.frames}"
        words = f"sentence {at.sentence + 1} of {at.sentences}, {stage}"
        self._progress.update(self._task, description=words)

    def say(self, words: str) -> None:
        self._progress.update(self._task, description=words)
