"""`vall-e train`: train a model from a YAML file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vall_e.cli.app import App
from vall_e.cli.option_groups import Explained
from vall_e.cli.training_view import stopping_signals, training_view

if TYPE_CHECKING:
    from vall_e.config.schema import RunConfig
    from vall_e.training.commands import Commands
    from vall_e.training.ranks import Ranks
    from vall_e.training.run import Run

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
    "--evaluate-only", is_flag=True,
    help="Validate the latest checkpoint, speak training.samples, and stop.",
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
    evaluate_only: bool,
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
        resume = resume or evaluate_only or ranks.restarts > 0
        with _started(app, config, folder, start_from, resume, overfit) as run:
            if evaluate_only:
                _evaluate(app, run, ranks)
                return
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
        stack.enter_context(stopping_signals(commands))
        if ranks.rank:
            watch = RunCallbacks()
        else:
            stdin = _descriptor()
            if stdin is not None:
                commands.listen(stdin)
            watch = stack.enter_context(
                training_view(app.console, run.config.max_steps, run.progress.step)
            )
        train_all(run, commands, watch)
    return commands


def _evaluate(app: App, run: Run, ranks: Ranks) -> None:
    from vall_e.training.loop import evaluate_only
    from vall_e.training.run import RunCallbacks

    if ranks.rank:
        evaluate_only(run, RunCallbacks())
        return
    with training_view(app.console, run.config.max_steps, run.progress.step) as watch:
        evaluate_only(run, watch)


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
    words += ["--evaluate-only"] if given.pop("evaluate_only") else []
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
