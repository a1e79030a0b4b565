"""What a training run shows on the terminal, and the signals that stop it."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import attrs
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.text import Text

if TYPE_CHECKING:
    from vall_e.training.commands import Commands
    from vall_e.training.metrics import Metrics
    from vall_e.training.run import RunCallbacks

QUIET_SECONDS = 15.0  # between two lines if there is no terminal


@contextmanager
def stopping_signals(commands: Commands) -> Iterator[None]:
    """The first SIGTERM or Ctrl-C stops the run after this step, a second one immediately."""

    def stop(number: int, frame: FrameType | None) -> None:
        commands.stop(signal.Signals(number).name)
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def training_view(console: Console, max_steps: int, step: int) -> Iterator[RunCallbacks]:
    """A live view on a terminal, otherwise a line from time to time."""
    from vall_e.training.run import RunCallbacks

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    watch = RunCallbacks(
        on_validation=lambda found: say(_validation_line(found)),
        on_file=lambda path: say(f"wrote {path}"),
    )
    if not console.is_terminal:
        yield attrs.evolve(watch, on_step=_Lines(say, max_steps))
        return
    bar = Progress(
        "step", MofNCompleteColumn(), BarColumn(), TimeRemainingColumn(), console=console
    )
    task = bar.add_task("", total=max_steps, completed=step)
    text = Text(no_wrap=True, overflow="ellipsis")
    smooth = _Smooth()

    def on_step(metrics: Metrics) -> None:
        text.plain = _step_text(smooth(metrics))
        bar.update(task, completed=metrics["step"])

    with Live(Group(bar, text), console=console, transient=True):
        yield attrs.evolve(watch, on_step=on_step)


class _Lines:
    """Prints the first step, then at most every `QUIET_SECONDS`."""

    def __init__(self, say: Callable[[str], None], max_steps: int) -> None:
        self.say, self.max_steps = say, max_steps
        self.smooth = _Smooth()
        self.last = float("-inf")

    def __call__(self, metrics: Metrics) -> None:
        smooth = self.smooth(metrics)
        if time.monotonic() - self.last >= QUIET_SECONDS or metrics["step"] == self.max_steps:
            self.last = time.monotonic()
            self.say(f"step {metrics['step']}/{self.max_steps}  {_step_text(smooth)}")


class _Smooth:
    """A running mean over about 20 steps, since single batches differ a lot."""

    def __init__(self) -> None:
        self.mean: Metrics = {}

    def __call__(self, metrics: Metrics) -> Metrics:
        for name, value in metrics.items():
            old = self.mean.get(name, value)
            if not math.isfinite(value):  # a step skipped by fp16 loss scaling
                continue
            self.mean[name] = old + (value - old) / 20
        return {"grad_norm": math.nan, **self.mean, "lr": metrics["lr"]}


def _step_text(metrics: Metrics) -> str:
    parts = [f"loss {metrics['loss']:.3f}"]
    parts += [f"{name[4:]} {value:.3f}" for name, value in metrics.items() if name[:4] == "nll."]
    parts.append(f"lr {metrics['lr']:.2e}")
    parts.append(f"norm {metrics['grad_norm']:.2f}")
    parts.append(f"{metrics['tokens_per_second']:.0f} tokens/s")
    parts.append(f"padding {metrics['padding']:.1%}")
    return "  ".join(parts)


def _validation_line(found: Metrics) -> str:
    parts = [f"{k.removeprefix('validation.')} {v:.3f}" for k, v in found.items() if k != "step"]
    return f"validation after step {found['step']}: {'  '.join(parts)}"
