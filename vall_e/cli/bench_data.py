"""What `vall-e bench --data` measures, and how it is shown."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vall_e.cli.app import App
    from vall_e.evaluation.data_bench import Report
    from vall_e.synthesis.compare import Size


def measure_data(
    app: App,
    config: Path | None,
    overrides: tuple[str, ...],
    size: Size | None,
    device: str | None,
    *,
    steps: int,
    as_json: bool,
) -> None:
    """Feed the run of `config`; with `size`, and without `config`, a model of that size."""
    import torch

    from vall_e.config.load import load
    from vall_e.evaluation.data_bench import measure
    from vall_e.synthesis.compare import SHAPES

    torch.set_num_threads(1)
    if size or not config:
        backbone = json.dumps(SHAPES[size or "quarter"].backbone)
        overrides = (f"model.backbone={backbone}", *overrides)
    if device:
        overrides = (*overrides, f"training.device={device}")
    overrides = ("training.threads=1", *overrides)
    run = load(config, app.registry, overrides=overrides, environ=app.environ)
    with TemporaryDirectory() as folder:
        report = measure(run, app.registry, Path(folder), steps=steps)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        _echo(report)


def _echo(report: Report) -> None:
    at, memory = report.machine, report.peak_memory_bytes
    rows = {
        "machine": f"{at.processor}, {at.cores} cores, {at.system}",
        "device": f"{at.device}, {at.threads} threads, {at.dtype}, torch {at.torch}",
        "one worker feeds": f"{report.samples_per_second:.0f} samples/s, "
        f"{report.tokens_per_second:.0f} tokens/s, {report.audio_per_second:.0f} s of audio/s "
        f"(of {report.utterances} utterances)",
        "padding": f"{report.padding:.1%}",
        "a step takes in": f"{report.trained_tokens_per_second:.0f} tokens/s "
        f"({report.parameters / 1e6:.1f} M parameters)",
        "ratio": f"{report.ratio:.1f} x",
        "peak memory": f"{memory / 2**20:.0f} MiB" if memory is not None else "not known here",
    }
    for name, value in rows.items():
        click.echo(f"{name:20} {value}")
