"""`vall-e bench --startup`: how fast the command responds."""

from __future__ import annotations

import json

import click
from attrs import asdict

from vall_e.cli.app import App
from vall_e.cli.bench.options import BenchOptions
from vall_e.cli.terminal.table import echo_columns


def measure_startup(app: App, options: BenchOptions) -> None:
    """Start the command in new processes."""
    from vall_e.benchmarks.startup import measure

    rows = measure(app.environ, repeats=options.repeats)
    if options.as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    table = [[r.what, f"{r.least:.3f} s", f"{r.median:.3f} s", f"{r.ratio:.1f} x"] for r in rows]
    echo_columns([["what", "minimum", "median", "ratio to Python alone"], *table])
