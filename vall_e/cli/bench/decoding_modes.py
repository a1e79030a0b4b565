"""`vall-e bench --compare`: ways of decoding beside each other."""

from __future__ import annotations

import json

import click

from vall_e.cli.app import App
from vall_e.cli.bench.options import BenchOptions
from vall_e.cli.terminal.table import echo_columns


def measure_ways(app: App, asked: BenchOptions) -> None:
    """Write frames with a model of `--size`, on one thread, in each of the ways."""
    import torch

    from vall_e.benchmarks.decoding_modes import compare
    from vall_e.device import find_device

    torch.set_num_threads(1)
    where = find_device(asked.device or "cpu", option="--device")
    told = compare(asked.size or "quarter", app.registry, device=where, repeats=asked.repeats)
    if asked.as_json:
        click.echo(json.dumps(told.to_json(), indent=2))
        return
    at = told.machine
    click.echo(
        f"{at.processor}, {at.device}, 1 thread, torch {at.torch}; {told.parameters / 1e6:.1f} M "
        f"parameters, {told.bytes_per_second / 1e9:.1f} GB/s"
    )
    rows = [[r.name, f"{r.seconds:.4f} s", f"{r.ratio:.2f} x", r.against] for r in told.rows]
    echo_columns([["what", "seconds", "ratio", "of what"], *rows])
    for line in told.missing:
        click.echo(f"not measured: {line}", err=True)
