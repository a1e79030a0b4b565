"""`vall-e bench --embedded`: the built-in voice compared with espeak-ng."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from attrs import asdict

from vall_e.cli.app import App
from vall_e.cli.bench.options import BenchOptions
from vall_e.cli.terminal.table import echo_columns

if TYPE_CHECKING:
    from vall_e.benchmarks.tts_engines import EngineFigures

HEAD = ["engine", "threads", "window", "start", "first audio", "real-time factor", "peak memory"]


def measure_embedded(_app: App, options: BenchOptions) -> None:
    """Run each engine in a process of its own."""
    from vall_e.benchmarks.tts_engines import ENGINES, PUBLISHED, EngineJob, measure_apart

    rows = [measure_apart(EngineJob(name, options.repeats, options.overrides)) for name in ENGINES]
    if options.as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    echo_columns([HEAD, *map(_cells, rows)])
    click.echo(PUBLISHED)


def _cells(row: EngineFigures) -> list[str]:
    peak = row.peak_bytes
    return [
        row.engine,
        str(row.threads),
        f"{row.window_seconds:g} s" if row.window_seconds else "none",
        f"{row.start_seconds:.2f} s",
        f"{row.first_audio_seconds:.4f} s",
        f"{row.rtf:.4f}",
        f"{peak / 2**20:.0f} MiB" if peak is not None else "not known here",
    ]
