"""`vall-e runs`: what training runs there are, and how they differ."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from vall_e.cli.terminal.table import echo_columns
from vall_e.errors import CheckpointError, TrainingError
from vall_e.training.history.compare import best, differing_options, figures
from vall_e.training.history.read import History, runs_in
from vall_e.training.metrics import METRICS

existing_folder = click.Path(exists=True, file_okay=False, path_type=Path)
FIRST = ("validation.ar", "validation.masked", "validation.nar", "validation.text")


@click.group()
def runs() -> None:
    """List and compare training runs."""


@runs.command("list")
@click.argument("folder", type=existing_folder, default=Path("runs"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def list_runs(folder: Path, as_json: bool) -> None:
    """List the runs in FOLDER (by default `runs`) and its subfolders."""
    found = [_row(path, folder) for path in runs_in(folder)]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if not found:
        click.echo(f"{folder} has no runs yet: vall-e train run.yaml", err=True)
        return
    titles = {"run": "run", "step": "step", "best": "best validation", "written": "last step at"}
    echo_columns([list(titles.values()), *([str(row[key]) for key in titles] for row in found)])


def _row(path: Path, folder: Path) -> dict[str, str | int]:
    written = datetime.fromtimestamp((path / METRICS).stat().st_mtime)
    try:
        history = History.of(path)
    except TrainingError:  # it has not made a step yet
        step, shown = 0, "-"
    else:
        step = int(history.last("step") or 0)
        name = next((name for name in FIRST if name in history.names()), "")
        shown = f"{name} {best(history, name)}" if name else "-"
    return {
        "run": str(path.relative_to(folder)) if path != folder else path.name,
        "step": step,
        "best": shown,
        "written": written.isoformat(sep=" ", timespec="minutes"),
    }


@runs.command()
@click.argument("folders", metavar="RUN RUN...", nargs=-1, required=True, type=existing_folder)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def compare(folders: tuple[Path, ...], as_json: bool) -> None:
    """Show which options differ between runs, and their figures side by side."""
    if len(folders) < 2:
        raise click.UsageError("give two runs or more")
    histories = [History.of(folder) for folder in folders]
    try:
        options = differing_options(histories)
    except CheckpointError as exc:
        raise CheckpointError(
            f"options cannot be compared: {exc.message}",
            hint="wait until each run has written a checkpoint",
        ) from exc
    names = [str(folder) for folder in folders]
    if as_json:
        found = {"options": _by_run(options, names), "figures": _by_run(figures(histories), names)}
        click.echo(json.dumps(found, indent=2))
        return
    echo_columns([["", *names], *(options or [["no option differs", *[""] * len(names)]])])
    click.echo()
    echo_columns([["", *names], *figures(histories)])


def _by_run(rows: list[list[str]], names: list[str]) -> dict[str, dict[str, str]]:
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
