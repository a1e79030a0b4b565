"""`vall-e bench --backbones`: the installed backbones compared with llama."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from attrs import asdict

from vall_e.cli.app import App
from vall_e.cli.bench.options import BenchOptions
from vall_e.cli.terminal.table import echo_columns

if TYPE_CHECKING:
    from vall_e.benchmarks.backbones import BackboneFigures


HEAD = ["backbone", "parameters", "prefill/s", "decode/s", "training/s", "state of a row"]


def measure_backbones(app: App, options: BenchOptions) -> None:
    """Run every backbone, with random weights, in the size given by the config."""
    from vall_e.benchmarks.backbones import BackboneSize, measure
    from vall_e.config.load import load
    from vall_e.device import find_device

    run = load(options.config, app.registry, overrides=options.overrides, environ=app.environ)
    rows = measure(
        app.registry.offers_of("backbone"),
        run.model.attention.build(),
        find_device(options.device or "cpu", option="--device"),
        size=BackboneSize.of(run.model.backbone.options),
        repeats=options.repeats,
    )
    if options.as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        _echo(rows)


def _echo(rows: list[BackboneFigures]) -> None:
    measured = [row for row in rows if not row.reason]
    echo_columns([HEAD, *(_cells(row, measured[0]) for row in measured)])
    for row in rows:
        if row.reason:
            click.echo(f"{row.name}: {row.reason}", err=True)


def _cells(row: BackboneFigures, first: BackboneFigures) -> list[str]:
    """Rates, with the ratio to those of the first row."""

    def rate(own: float | None, other: float | None) -> str:
        if own is None:
            return "no cache"
        return f"{own:.1f}" + (f" ({own / other:.2f}x)" if other else "")

    return [
        row.name,
        f"{row.parameters / 1e6:.2f} M",
        rate(row.prefill, first.prefill),
        rate(row.decode, first.decode),
        rate(row.training, first.training),
        f"{row.state_bytes / 1024:.0f} KiB" if row.state_bytes is not None else "no cache",
    ]
