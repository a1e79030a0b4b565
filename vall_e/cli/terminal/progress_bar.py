"""A progress bar on a terminal, and nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn


class _Bar:
    def __init__(self, console: Console, total: int, what: str) -> None:
        columns = (what, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=console, transient=True)
        self.task = self.progress.add_task(what, total=total)

    def __enter__(self) -> Callable[[], None]:
        self.progress.start()
        return partial(self.progress.advance, self.task)

    def __exit__(self, *_: object) -> None:
        self.progress.stop()


def bar(
    console: Console, total: int, what: str = "recordings"
) -> AbstractContextManager[Callable[[], None]]:
    """Yields a function to call for each finished item; shows their number and the time left."""
    return _Bar(console, total, what) if console.is_terminal else nullcontext(lambda: None)
