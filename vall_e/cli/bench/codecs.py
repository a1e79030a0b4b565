"""`vall-e bench --codecs`: a codec compared with Opus and Codec2, on recordings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from attrs import asdict

from vall_e.cli.app import App
from vall_e.cli.bench.options import BenchOptions
from vall_e.cli.terminal.table import echo_columns
from vall_e.errors import ConfigError

if TYPE_CHECKING:
    from vall_e.benchmarks.codecs import CodecFigures
    from vall_e.evaluation.judge_panel import Panel
    from vall_e.interfaces.codec import Codec
    from vall_e.registry import Registry

JUDGES = ("pesq", "stoi", "similarity")


def measure_codecs(app: App, options: BenchOptions) -> None:
    """Encode and decode all recordings with all codecs, and print the results."""
    from vall_e.benchmarks.codec_recordings import gather
    from vall_e.benchmarks.codecs import contestants, measure

    codec, panel = _codec(app, options), _panel(app.registry)
    material = gather(options.places, options.count)
    rows = [
        measure(one, material.clips, panel.judges, repeats=options.repeats)
        for one in contestants(codec, options.levels)
    ]
    facts = {
        **material.facts,
        "codec": _facts(codec),
        "threads": _threads(),
        "unavailable": dict(panel.unavailable),
    }
    if options.as_json:
        report = {**facts, "codecs": [asdict(row) for row in rows]}
        click.echo(json.dumps(report, indent=2))
    else:
        _echo(rows, facts)


def _codec(app: App, options: BenchOptions) -> Codec:
    from vall_e.config.load import load
    from vall_e.device import find_device, place_codec

    run = load(options.config, app.registry, overrides=options.overrides, environ=app.environ)
    codec = place_codec(run.codec.build(), find_device(options.device or "cpu", option="--device"))
    if options.levels and max(options.levels) > codec.levels:
        raise ConfigError(
            f"--levels {max(options.levels)}: the codec has {codec.levels}", hint="use fewer"
        )
    return codec


def _panel(registry: Registry) -> Panel:
    from vall_e.config.choices import JudgeChoice
    from vall_e.config.component_option import choose
    from vall_e.evaluation.judge_panel import Panel
    from vall_e.interfaces.judge import Case

    known = [name for name in JUDGES if name in registry.names("judge")]
    choices = [choose(name, JudgeChoice, registry, source="--codecs") for name in known]
    return Panel.of(choices, Case(), all_of_them=False)


def _facts(codec: Codec) -> dict[str, str]:
    from vall_e.evaluation.resynthesis import weights_of

    return {"identity": codec.identity, "sha256": weights_of(codec)}


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _echo(rows: list[CodecFigures], facts: dict[str, Any]) -> None:
    click.echo("{recordings} recordings, {seconds} s, {threads} threads".format(**facts))
    names = [*rows[0].scores]
    head = ["codec", "kbit/s", "encode s/s", "decode s/s", "weights", *names]
    echo_columns([head, *(_cells(row, names) for row in rows)])
    for row in rows:
        click.echo(f"{row.name}: {row.note}")
    for name, reason in facts["unavailable"].items():
        click.echo(f"{name}: {reason}", err=True)


def _cells(row: CodecFigures, names: list[str]) -> list[str]:
    return [
        row.name,
        f"{row.bits_per_second / 1000:.2f}",
        f"{row.encode_rtf:.4f}",
        f"{row.decode_rtf:.4f}",
        f"{row.weight_bytes / 1e6:.1f} MB" if row.weight_bytes else "none",
        *("none" if row.scores[n] is None else f"{row.scores[n]:.3f}" for n in names),
    ]
