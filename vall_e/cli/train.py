"""`vall-e train`: train a model from a YAML file."""

from __future__ import annotations

import json
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import attrs
import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.text import Text

from vall_e.cli.app import App
from vall_e.cli.option_groups import Explained

if TYPE_CHECKING:
    from vall_e.config.schema import RunConfig
    from vall_e.training.commands import Commands
    from vall_e.training.metrics import Metrics
    from vall_e.training.ranks import Ranks
    from vall_e.training.run import Run, RunCallbacks

QUIET_SECONDS = 15.0  # between two lines if there is no terminal


EXAMPLES = (
    "vall-e config init -o run.yaml",
    'vall-e train run.yaml --set "data.train=[data/mine]"',
    "vall-e train run.yaml --resume",
    "vall-e train my-voice.yaml --from embedded",
)


@click.command(cls=Explained, examples=EXAMPLES)
@click.argument(
    "path", metavar="CONFIG", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--resume", is_flag=True, help="Continue from the latest checkpoint, if there is one."
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change an option.")
@click.option(
    "--from",
    "start_from",
    metavar="MODEL",
    help="Initial weights of a new run: `embedded`, a weights file or a training folder. "
    "Same as --set training.start_from=MODEL.",
)
@click.option(
    "--max-steps", type=click.IntRange(1), metavar="N", help="Same as --set training.max_steps=N."
)
@click.option(
    "--overfit", type=click.IntRange(1), metavar="N",
    help="Overfit on the first N utterances, to test that the model can learn; no validation. "
    "The output folder's name ends in -overfit.",
)  # fmt: skip
@click.option(
    "--processes", type=click.IntRange(1), metavar="N",
    help="Train in N processes on this machine, each with a GPU or a share of the cores. "
    "On several machines: torchrun -m vall_e train CONFIG.",
)  # fmt: skip
@click.pass_context
def train(
    ctx: click.Context,
    path: Path,
    resume: bool,
    overrides: tuple[str, ...],
    start_from: str | None,
    max_steps: int | None,
    overfit: int | None,
    processes: int | None,
) -> None:
    """Train a model from the YAML file CONFIG.

    While it runs it reads commands from stdin, one on each line: save, eval, export [FILE], lr X,
    quit; add @STEP for later (quit@500). Ctrl-C and SIGTERM save a checkpoint and stop.
    """
    from vall_e.training.ranks import Ranks
    from vall_e.weights.speaking_options import load_run

    app: App = ctx.obj
    ranks = Ranks.of(app.environ)
    if processes and ranks.world_size == 1:
        _launch(ctx, processes)
        return
    if max_steps is not None:
        overrides = (*overrides, f"training.max_steps={max_steps}")
    if start_from is not None:
        overrides = (*overrides, f"training.start_from={json.dumps(start_from)}")
    with ranks.named_in_errors():
        config = load_run(path, app.registry, overrides=overrides, environ=app.environ).config
        folder = Path(config.training.output + ("-overfit" if overfit else ""))
        started = _started(app, config, folder, start_from, resume or ranks.restarts > 0, overfit)
        with started as run:
            commands = _train(app, run, ranks)
    if ranks.rank == 0:
        _say_how_it_ended(run, commands)


@contextmanager
def _started(
    app: App,
    config: RunConfig,
    folder: Path,
    start_from: str | None,
    resume: bool,
    overfit: int | None,
) -> Iterator[Run]:
    """The run, while this process may write into its folder."""
    from vall_e.training.run_lock import held_by_this_run
    from vall_e.training.setup import open_run

    with held_by_this_run(folder, app.environ):
        run = open_run(config, folder, resume=resume, overfit=overfit, registry=app.registry)
        if run.engine.rank == 0:
            start = config.training.start_from if run.progress.step == 0 else ""
            weights = f", with the weights of {start}" if start else ""
            steps = config.training.max_steps
            click.echo(f"{folder}: from step {run.progress.step} to {steps}{weights}", err=True)
            if start_from and not start:
                click.echo(
                    f"--from {start_from} is not used: the run continues with its own weights",
                    err=True,
                )
        yield run


def _train(app: App, run: Run, ranks: Ranks) -> Commands:
    """Train it; the first rank reads commands and shows progress."""
    from vall_e.training.commands import Commands
    from vall_e.training.loop import train as train_all
    from vall_e.training.run import RunCallbacks

    commands = Commands()
    with ExitStack() as stack:
        stack.enter_context(_signals(commands))
        if ranks.rank:
            watch = RunCallbacks()
        else:
            stdin = _descriptor()
            if stdin is not None:
                commands.listen(stdin)
            watch = stack.enter_context(_view(app.console, run.config.max_steps, run.progress.step))
        train_all(run, commands, watch)
    return commands


def _say_how_it_ended(run: Run, commands: Commands) -> None:
    from vall_e.training.best import BEST

    why = f", stopped by {commands.stopped_by}" if commands.stopped_by else ""
    step = f"step {run.progress.step} of {run.config.max_steps}"
    click.echo(f"{run.folder}: {step}{why}", err=True)
    best = run.progress.best
    if best:
        speak = f'vall-e synth "Hello." -m {run.folder / BEST}'
        click.echo(
            f"best: step {best['step']}, {best['name']} {best['loss']:.3f}: {speak}", err=True
        )


def _launch(ctx: click.Context, processes: int) -> None:
    """The same command in several processes."""
    from vall_e.training.launch import RankError, launch

    given = dict(ctx.params)
    given.pop("processes")
    words = [str(given.pop("path"))]
    words += [f"--set={override}" for override in given.pop("overrides")]
    words += ["--resume"] if given.pop("resume") else []
    words += [f"--from={given.pop('start_from')}"] if given["start_from"] else []
    words += [
        f"--{name.replace('_', '-')}={given[name]}"
        for name in ("max_steps", "overfit")
        if given[name]
    ]
    try:
        launch(processes, [*_global_options(ctx.obj, ctx.find_root()), "train", *words])
    except RankError as exc:
        click.echo(f"Error: {exc.message}\nHint: {exc.hint}", err=True)
        ctx.exit(exc.code)


def _global_options(app: App, root: click.Context) -> list[str]:
    options = ["--no-plugins"] if not app.load_plugins else []
    options += ["--commercial"] if app.environ.get("VALL_E_COMMERCIAL") else []
    return options + ["-v"] * int(root.params.get("verbose", 0))


def _descriptor() -> int | None:
    """The descriptor of stdin; None if it is closed or not a file."""
    try:
        return None if sys.stdin is None else sys.stdin.fileno()
    except (OSError, ValueError):
        return None


@contextmanager
def _signals(commands: Commands) -> Iterator[None]:
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
def _view(console: Console, max_steps: int, step: int) -> Iterator[RunCallbacks]:
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
