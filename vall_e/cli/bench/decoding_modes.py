"""`vall-e bench --compare`: a comparison of decoding modes."""

from __future__ import annotations

import json

import click

from vall_e.cli.app import App
from vall_e.cli.bench.options import BenchOptions
from vall_e.cli.terminal.table import echo_columns


def measure_ways(app: App, options: BenchOptions) -> None:
    """Generate frames with a model of `--size`, on one thread, in each decoding mode."""
    import torch

    from vall_e.benchmarks.decoding_modes import compare
    from vall_e.device import find_device

    torch.set_num_threads(1)
    where = find_device(options.device or "cpu", option="--device")
    report = compare(options.size or "quarter", app.registry, device=where, repeats=options.repeats)
    if options.as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
        return
    at = report.machine
    click.echo(
        f"{at.processor}, {at.device}, 1 thread, torch {at.torch}; {report.parameters / 1e6:.1f} M "
        f"parameters, {report.bytes_per_second / 1e9:.1f} GB/s"
    )
    rows = [[r.name, f"{r.seconds:.4f} s", f"{r.ratio:.2f} x", r.against] for r in report.rows]
    echo_columns([["mode", "seconds", "ratio", "compared with"], *rows])
    for line in report.missing:
        click.echo(f"not measured: {line}", err=True)
