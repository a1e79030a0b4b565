"""`vall-e bench`: speed and memory of a model, a codec or the built-in voice, on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vall_e.cli.app import App
from vall_e.cli.bench_data import measure_data
from vall_e.cli.columns import echo_columns
from vall_e.cli.home import home

if TYPE_CHECKING:
    from vall_e.evaluation.backbone_bench import Row as BackboneRow
    from vall_e.evaluation.engine_bench import Row as EngineRow
    from vall_e.synthesis.bench import Report
    from vall_e.synthesis.compare import Size

existing = click.Path(exists=True, path_type=Path)
existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("places", metavar="[FILES]", nargs=-1, type=existing)
@click.option("--codecs", is_flag=True, help="Measure the codec, Opus and Codec2 on FILES.")
@click.option(
    "--levels", type=click.IntRange(min=1), multiple=True, help="With --codecs; may be repeated."
)
@click.option("-n", "--count", type=click.IntRange(min=1), help="With --codecs: the first so many.")
@click.option("--backbones", is_flag=True, help="Measure the installed backbones beside llama.")
@click.option("--embedded", is_flag=True, help="Measure the built-in voice, and espeak-ng.")
@click.option("--startup", is_flag=True, help="Measure how soon the command answers.")
@click.option("--data", is_flag=True, help="Measure how fast one loader process feeds a run.")
@click.option("--compare", is_flag=True, help="Measure ways of decoding beside each other.")
@click.option(
    "--size",
    type=click.Choice(["full", "quarter", "embedded", "tiny"]),
    help="Of the model of --compare or --data; usually quarter.",
)
@click.option("-m", "--model", metavar="FILE|NAME", help="Else the one that is built in.")
@click.option("--nar", metavar="FILE|NAME", help="Other weights for the levels after the first.")
@click.option("-c", "--config", type=existing_file, help="YAML file of options.")
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override an option.")
@click.option("--device", help="auto, cpu, cuda, cuda:1, mps.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For programs, on stdout.")
@click.pass_obj
def bench(
    app: App,
    places: tuple[Path, ...],
    codecs: bool,
    levels: tuple[int, ...],
    count: int | None,
    backbones: bool,
    embedded: bool,
    startup: bool,
    data: bool,
    compare: bool,
    size: Size | None,
    model: str | None,
    nar: str | None,
    config: Path | None,
    overrides: tuple[str, ...],
    device: str | None,
    repeats: int,
    as_json: bool,
) -> None:
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
    if (levels or count) and not codecs:
        raise click.UsageError("--codecs goes with recordings; --levels and --count with it.")
    if startup:
        if compare or size or embedded or backbones or codecs or places or levels or nar:
            raise click.UsageError("--startup goes with --repeats and --json only.")
        if model or config or overrides or device:
            raise click.UsageError("--startup goes with --repeats and --json only.")
        _measure_startup(app, repeats, as_json)
        return
    if data:
        if compare or embedded or backbones or codecs or places or levels or nar or model:
            raise click.UsageError(
                "--data goes with --size, --config, --set, --device, --repeats and --json only."
            )
        measure_data(app, config, overrides, size, device, steps=repeats, as_json=as_json)
        return
    if nar and (compare or size or embedded or backbones or codecs):
        raise click.UsageError("--nar goes with the model of -m, which alone is then measured.")
    if compare or size:
        if not compare or codecs or embedded or places or levels or model or config or overrides:
            raise click.UsageError(
                "--compare goes with --size, --device, --repeats and --json only."
            )
        _measure_ways(app, size or "quarter", device, repeats, as_json)
        return
    if embedded:
        if codecs or backbones or places or levels or model or config or device:
            raise click.UsageError("--embedded goes with --set, --repeats and --json only.")
        _measure_embedded(overrides, repeats, as_json)
        return
    if backbones:
        if codecs or places or levels or model:
            raise click.UsageError("--backbones goes without recordings, --codecs and --model.")
        _measure_backbones(app, config, overrides, device, repeats, as_json)
        return
    if codecs != bool(places) or (codecs and model):
        raise click.UsageError("--codecs goes with recordings, without --model.")
    if codecs:
        from vall_e.cli.bench_codecs import Asked

        asked = Asked(places, count, levels, config, overrides, device or "cpu", repeats)
        asked.measure(app, as_json=as_json)
        return
    from vall_e.opening import open_synthesizer
    from vall_e.synthesis.bench import measure

    synthesizer = open_synthesizer(
        model,
        config,
        app.registry,
        overrides=overrides,
        nar=nar,
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
    memory, trained = report.peak_memory_bytes, report.training_tokens_per_second
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
        "training": f"{trained:.0f} tokens/s" if trained else "not with reduced weights",
    }
    for name, value in rows.items():
        click.echo(f"{name:20} {value}")


def _measure_ways(app: App, size: Size, device: str | None, repeats: int, as_json: bool) -> None:
    import torch

    from vall_e.model.device import find_device
    from vall_e.synthesis.compare import compare

    torch.set_num_threads(1)
    where = find_device(device or "cpu", option="--device")
    told = compare(size, app.registry, device=where, repeats=repeats)
    if as_json:
        click.echo(json.dumps(told.to_json(), indent=2))
        return
    at = told.machine
    click.echo(
        f"{at.processor}, {at.device}, 1 thread, torch {at.torch}; {told.parameters / 1e6:.1f} M "
        f"parameters, {told.bytes_per_second / 1e9:.1f} GB/s"
    )
    rows = [[r.name, f"{r.seconds:.4f} s", f"{r.ratio:.2f} x", r.against] for r in told.rows]
    echo_columns([["what", "seconds", "ratio", "of what"], *rows])


def _measure_embedded(overrides: tuple[str, ...], repeats: int, as_json: bool) -> None:
    from attrs import asdict

    from vall_e.evaluation.engine_bench import ENGINES, PUBLISHED, Order, measure_apart

    rows = [measure_apart(Order(name, repeats, overrides)) for name in ENGINES]
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    echo_columns([_ENGINE_HEAD, *(_engine_cells(row) for row in rows)])
    click.echo(PUBLISHED)


def _measure_startup(app: App, repeats: int, as_json: bool) -> None:
    from attrs import asdict

    from vall_e.cli.startup import measure

    rows = measure(app.environ, repeats=repeats)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    table = [[r.what, f"{r.least:.3f} s", f"{r.median:.3f} s", f"{r.ratio:.1f} x"] for r in rows]
    echo_columns([["what", "least", "median", "of Python alone"], *table])


_ENGINE_HEAD = [
    "engine", "threads", "window", "start", "first audio", "real-time factor", "peak memory"
]  # fmt: skip


def _engine_cells(row: EngineRow) -> list[str]:
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


def _measure_backbones(
    app: App,
    config: Path | None,
    overrides: tuple[str, ...],
    device: str | None,
    repeats: int,
    as_json: bool,
) -> None:
    from attrs import asdict

    from vall_e.config.load import load
    from vall_e.evaluation.backbone_bench import Size, measure
    from vall_e.model.device import find_device

    run = load(config, app.registry, overrides=overrides, environ=app.environ)
    rows = measure(
        app.registry.offers_of("backbone"),
        run.model.attention.build(),
        find_device(device or "cpu", option="--device"),
        size=Size.of(run.model.backbone.options),
        repeats=repeats,
    )
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    measured = [row for row in rows if not row.reason]
    head = ["backbone", "parameters", "prefill/s", "decode/s", "training/s", "state of a row"]
    echo_columns([head, *(_backbone_cells(row, measured[0]) for row in measured)])
    for row in rows:
        if row.reason:
            click.echo(f"{row.name}: {row.reason}", err=True)


def _backbone_cells(row: BackboneRow, first: BackboneRow) -> list[str]:
    """Rates with what they are of the first row's."""

    def rate(own: float | None, other: float | None) -> str:
        if own is None:
            return "no cache"
        return f"{own:.1f}" + (f" ({own / other:.2f}x)" if other else "")

    return [
        row.name,
        f"{row.parameters / 1e6:.2f} M",
        rate(row.prefill, first.prefill),
        rate(row.decode, first.decode),
        rate(row.training, first.training),
        f"{row.state_bytes / 1024:.0f} KiB" if row.state_bytes is not None else "no cache",
    ]
