"""`vall-e bench`: speed and memory of a model, a codec or the built-in voice, on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import click

from vall_e.cli.app import App
from vall_e.cli.bench.backbones import measure_backbones
from vall_e.cli.bench.codecs import measure_codecs
from vall_e.cli.bench.data import measure_data
from vall_e.cli.bench.decoding_modes import measure_ways
from vall_e.cli.bench.embedded import measure_embedded
from vall_e.cli.bench.model import measure_model
from vall_e.cli.bench.options import BenchOptions
from vall_e.cli.bench.startup import measure_startup
from vall_e.cli.option_groups import Explained, grouped

MEASURES: Mapping[str, Callable[[App, BenchOptions], None]] = {
    "startup": measure_startup,
    "data": measure_data,
    "compare": measure_ways,
    "embedded": measure_embedded,
    "backbones": measure_backbones,
    "codecs": measure_codecs,
    "": measure_model,
}


SUBJECT = "What to measure (default: the model's synthesis and training)"
SECTIONS = {
    SUBJECT: ("embedded", "compare", "backbones", "codecs", "data", "startup"),
    "Options of the benchmarks": (
        *("model", "nar", "config", "overrides", "device", "size", "levels", "count", "repeats"),
    ),
}
EXAMPLES = (
    "vall-e bench",
    "vall-e bench -m runs/mine --set synthesis.threads=2",
    "vall-e bench --codecs recordings/ --levels 4 --levels 8",
    "vall-e bench --compare --size quarter",
)


@click.command(cls=Explained, sections=SECTIONS, examples=EXAMPLES)
@grouped(options=BenchOptions)
@click.pass_obj
def bench(app: App, options: BenchOptions) -> None:
    """Measure speed and memory of synthesis and training on this machine."""
    options.require()
    MEASURES[options.subject](app, options)
