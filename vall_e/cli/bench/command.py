"""`vall-e bench`: speed and memory of a model, a codec or the built-in voice, on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import click

from vall_e.cli.app import App
from vall_e.cli.bench.backbones import measure_backbones
from vall_e.cli.bench.codecs import measure_codecs
from vall_e.cli.bench.data import measure_data
from vall_e.cli.bench.embedded import measure_embedded
from vall_e.cli.bench.model import measure_model
from vall_e.cli.bench.options import Asked
from vall_e.cli.bench.startup import measure_startup
from vall_e.cli.bench.ways import measure_ways
from vall_e.cli.option_groups import grouped

MEASURES: Mapping[str, Callable[[App, Asked], None]] = {
    "startup": measure_startup,
    "data": measure_data,
    "compare": measure_ways,
    "embedded": measure_embedded,
    "backbones": measure_backbones,
    "codecs": measure_codecs,
    "": measure_model,
}


@click.command()
@grouped(asked=Asked)
@click.pass_obj
def bench(app: App, asked: Asked) -> None:
    """Measure how fast a model speaks and learns here, and how much memory it takes.

    With --codecs: rate, speed and quality of the config's codec on FILES (recordings, folders or
    tables of them), beside Opus and Codec2 (--levels 4 --levels 8: so many of its levels).

    With --backbones: speed, parameters and memory a row of every backbone, with random weights, as
    large as the config's backbone and by its attention kernel.

    With --embedded: start-up, first audio, speed and memory of the built-in voice on one processor
    thread (--set synthesis.threads=2 for more), beside espeak-ng; each in a fresh process.

    With --startup: `vall-e --help` and `vall-e plugins list` in fresh processes, as it is here and
    with 100 more plugins, beside Python alone. The machine should have nothing else to do.

    With --data: samples, tokens and audio a second that one loader process makes of the config's
    data, or of invented ones, beside what a training step takes in, of a model of --size or of
    the config's, both on one thread; padding and memory.

    With --compare: a frame with weights in fp32, bf16 and int8 beside what the memory allows, with
    and without a cache, alone and in a batch; on one thread, of a model of --size that knows
    nothing.
    """
    asked.require()
    MEASURES[asked.subject](app, asked)
