"""`vall-e bench --data`: how fast one loader process reads for training."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from vall_e.cli.app import App
from vall_e.cli.bench.options import BenchOptions

if TYPE_CHECKING:
    from vall_e.benchmarks.data_loader import LoaderReport


def measure_data(app: App, options: BenchOptions) -> None:
    """Load data for the run of `--config`, or without it for a model of `--size`."""
    import torch

    from vall_e.benchmarks.data_loader import measure
    from vall_e.config.load import load

    torch.set_num_threads(1)
    run = load(options.config, app.registry, overrides=_overrides(options), environ=app.environ)
    with TemporaryDirectory() as folder:
        report = measure(run, app.registry, Path(folder), steps=options.repeats)
    if options.as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        _echo(report)


def _overrides(options: BenchOptions) -> tuple[str, ...]:
    from vall_e.benchmarks.decoding_modes import SHAPES

    made = ["training.threads=1"]
    if options.size or not options.config:
        backbone = json.dumps(SHAPES[options.size or "quarter"].backbone)
        made.append(f"model.backbone={backbone}")
    device = [f"training.device={options.device}"] if options.device else []
    return (*made, *options.overrides, *device)


def _echo(report: LoaderReport) -> None:
    at, memory = report.machine, report.peak_memory_bytes
    rows = {
        "machine": f"{at.processor}, {at.cores} cores, {at.system}",
        "device": f"{at.device}, {at.threads} threads, {at.dtype}, torch {at.torch}",
        "one worker loads": f"{report.samples_per_second:.0f} samples/s, "
        f"{report.tokens_per_second:.0f} tokens/s, {report.audio_per_second:.0f} s of audio/s "
        f"({report.utterances} utterances)",
        "padding": f"{report.padding:.1%}",
        "training processes": f"{report.trained_tokens_per_second:.0f} tokens/s "
        f"({report.parameters / 1e6:.1f} M parameters)",
        "ratio": f"{report.ratio:.1f} x",
        "peak memory": f"{memory / 2**20:.0f} MiB" if memory is not None else "not known here",
    }
    for name, value in rows.items():
        click.echo(f"{name:20} {value}")
