"""`vall-e plot`: the metrics of runs as curves."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from vall_e.cli.option_groups import Explained
from vall_e.errors import TrainingError
from vall_e.training.history.plot import Log, plotted_text, save_plot
from vall_e.training.history.read import AXES, Curve, History

DEFAULT = ("loss", "validation.ar")
"""The metrics plotted if none are named; those that the runs have."""

EXAMPLES = (
    "vall-e plot runs/valle",
    "vall-e plot runs/a runs/b --y nll.ar,validation.ar --x tokens --smooth 50 -o loss.png",
    "vall-e plot runs/valle --y grad_norm --log y -o norm.html",
)


@click.command(cls=Explained, examples=EXAMPLES)
@click.argument(
    "folders", metavar="RUN...", nargs=-1, required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)  # fmt: skip
@click.option("--x", "axis", type=click.Choice(AXES), default="step", show_default=True)
@click.option(
    "--y", "names", metavar="NAME,NAME", default=",".join(DEFAULT), show_default=True,
    help="Metrics to plot; `vall-e plot RUN --list` prints those of a run.",
)  # fmt: skip
@click.option(
    "--smooth", type=click.IntRange(1), metavar="N", default=1, show_default=True,
    help="Plot the mean of the latest N steps; validations stay as they are.",
)  # fmt: skip
@click.option(
    "--log", type=click.Choice(["none", "x", "y", "both"]), default="none", show_default=True,
    help="Logarithmic axes.",
)  # fmt: skip
@click.option("--list", "only_list", is_flag=True, help="Print the names of the metrics only.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
    help="A .png, .svg, .pdf or .html file. Without it, the plot is printed on the terminal.",
)  # fmt: skip
def plot(
    folders: tuple[Path, ...],
    axis: str,
    names: str,
    smooth: int,
    log: Log,
    only_list: bool,
    output: Path | None,
) -> None:
    """Plot the metrics of training runs, also while they are running.

    RUN is the folder set in training.output. Several runs are drawn into one plot.
    """
    runs = [History.of(folder) for folder in folders]
    if only_list:
        click.echo("\n".join(dict.fromkeys(name for run in runs for name in run.names())))
        return
    curves = [curve.smoothed(smooth) for curve in _curves(runs, names, axis)]
    if output:
        save_plot(curves, output, axis=axis, log=log)
        click.echo(str(output))
        return
    size = shutil.get_terminal_size((100, 30))
    click.echo(
        plotted_text(curves, axis=axis, log=log, width=size.columns, height=min(size.lines - 2, 30))
    )


def _curves(runs: list[History], names: str, axis: str) -> list[Curve]:
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = dict.fromkeys(name for run in runs for name in run.names())
    unknown = [name for name in wanted if name not in known]
    if tuple(wanted) == DEFAULT:
        wanted = [name for name in wanted if name in known]
    elif unknown:
        raise TrainingError(
            f"no run has the metric {', '.join(unknown)}",
            hint=f"these exist: {', '.join(known)}",
        )
    found = [run.curve(name, axis) for run in runs for name in wanted]
    return [curve for curve in found if len(curve.x)]
