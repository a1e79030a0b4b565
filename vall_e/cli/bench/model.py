"""`vall-e bench`: how fast a model synthesizes and trains."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from vall_e.cli.app import App
from vall_e.cli.bench.options import BenchOptions
from vall_e.cli.voices_home import home

if TYPE_CHECKING:
    from vall_e.benchmarks.speed import SpeedReport


def measure_model(app: App, options: BenchOptions) -> None:
    """Measure synthesis and training of the model, and print the results."""
    from vall_e.benchmarks.speed import measure
    from vall_e.synthesis.load import LoadOptions, open_synthesizer

    load = LoadOptions(
        model=options.model,
        config=options.config,
        overrides=options.overrides,
        nar=options.nar,
        environ=app.environ,
        home=home(app),
        device=options.device,
    )
    report = measure(open_synthesizer(load, app.registry), repeats=options.repeats)
    if options.as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        _echo(report)


def _echo(report: SpeedReport) -> None:
    at = report.machine
    memory, trained = report.peak_memory_bytes, report.training_tokens_per_second
    rows = {
        "machine": f"{at.processor}, {at.cores} cores, {at.system}",
        "device": f"{at.device}, {at.threads} threads, {at.dtype}, torch {at.torch}",
        "parameters": f"{report.parameters / 1e6:.1f} M",
        "real-time factor": f"{report.rtf:.2f} (a sentence of {report.audio_seconds:.1f} s)",
        "time to first audio": f"{report.first_audio_seconds:.2f} s",
        "AR steps": f"{report.ar_steps_per_second:.0f} /s, memory bandwidth allows "
        f"{report.ar_steps_limit:.0f} /s ({report.weight_bytes / 1e6:.0f} MB a step at "
        f"{report.bytes_per_second / 1e9:.1f} GB/s)",
        "peak memory": f"{memory / 2**20:.0f} MiB" if memory is not None else "not known here",
        "training": f"{trained:.0f} tokens/s" if trained else "not with reduced weights",
    }
    for name, value in rows.items():
        click.echo(f"{name:20} {value}")
