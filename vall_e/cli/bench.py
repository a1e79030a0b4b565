"""`vall-e bench`: speed and memory of a model on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vall_e.cli.app import App
from vall_e.cli.home import home

if TYPE_CHECKING:
    from vall_e.synthesis.bench import Report

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("-m", "--model", metavar="FILE|NAME", help="Else the one that is built in.")
@click.option("-c", "--config", type=existing_file, help="YAML file of options.")
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override an option.")
@click.option("--device", help="auto, cpu, cuda, cuda:1, mps.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For programs, on stdout.")
@click.pass_obj
def bench(
    app: App,
    model: str | None,
    config: Path | None,
    overrides: tuple[str, ...],
    device: str | None,
    repeats: int,
    as_json: bool,
) -> None:
    """Measure how fast a model speaks and learns here, and how much memory it takes."""
    from vall_e.opening import open_synthesizer
    from vall_e.synthesis.bench import measure

    synthesizer = open_synthesizer(
        model,
        config,
        app.registry,
        overrides=overrides,
        environ=app.environ,
        home=home(app),
        device=device,
    )
    report = measure(synthesizer, repeats=repeats)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        _echo(report)


def _echo(report: Report) -> None:
    at = report.machine
    memory = report.peak_memory_bytes
    rows = {
        "machine": f"{at.processor}, {at.cores} cores, {at.system}",
        "device": f"{at.device}, {at.threads} threads, {at.dtype}, torch {at.torch}",
        "parameters": f"{report.parameters / 1e6:.1f} M",
        "real-time factor": f"{report.rtf:.2f} (a sentence of {report.audio_seconds:.1f} s)",
        "time to first audio": f"{report.first_audio_seconds:.2f} s",
        "AR steps": f"{report.ar_steps_per_second:.0f} /s, memory allows "
        f"{report.ar_steps_limit:.0f} /s ({report.weight_bytes / 1e6:.0f} MB a step at "
        f"{report.bytes_per_second / 1e9:.1f} GB/s)",
        "peak memory": f"{memory / 2**20:.0f} MiB" if memory is not None else "not known here",
        "training": f"{report.training_tokens_per_second:.0f} tokens/s",
    }
    for name, value in rows.items():
        click.echo(f"{name:20} {value}")
