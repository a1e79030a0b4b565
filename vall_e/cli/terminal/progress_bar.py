"""A progress bar on a terminal, and nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TimeRemainingColumn


@contextmanager
def bar(console: Console, total: int, what: str = "recordings") -> Iterator[Callable[[], None]]:
    """Yields a function to call for each finished item; shows their number and the time left."""
    with _shown(console, total, what) as (progress, task):
        yield partial(progress.advance, task)


@contextmanager
def position_bar(console: Console, total: int, what: str) -> Iterator[Callable[[float], None]]:
    """Yields a function to call with the position that has been reached."""
    with _shown(console, total, what) as (progress, task):
        yield lambda position: progress.update(task, completed=round(position))


@contextmanager
def _shown(console: Console, total: int, what: str) -> Iterator[tuple[Progress, TaskID]]:
    columns = (what, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with progress:
        yield progress, progress.add_task(what, total=total)
