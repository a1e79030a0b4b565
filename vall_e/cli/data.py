"""`vall-e data`: recordings to datasets."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vall_e.cli.app import App
from vall_e.cli.bar import bar
from vall_e.cli.data_convert import convert
from vall_e.cli.similar import similar
from vall_e.cli.survey import list_items, metadata, sample, stats, validate
from vall_e.cli.transcribe import transcribe
from vall_e.errors import DataError

if TYPE_CHECKING:
    from vall_e.config.schema import RunConfig
    from vall_e.data.prepare import Prepared, Preparer, Skipped
    from vall_e.data.process import Report
    from vall_e.data.recordings import Recording
    from vall_e.data.slicing import Mode

folder = click.Path(exists=True, file_okay=False, path_type=Path)
file = click.Path(exists=True, dir_okay=False, path_type=Path)
REASONS = 10  # shown at the end; skipped.jsonl has all


@click.group()
def data() -> None:
    """Make datasets of recordings."""


for command in (stats, validate, list_items, sample, metadata, transcribe, similar, convert):
    data.add_command(command)


@data.command()
@click.argument("source", metavar="FOLDER", type=folder)
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the dataset; one that is there is added to.",
)  # fmt: skip
@click.option("-c", "--config", "path", type=file, help="YAML file: its codec and text count.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change an option.")
@click.option(
    "--transcripts", type=file,
    help="Table with columns path and text. Default: transcripts, metadata or corpus "
    "(.tsv, .csv, .json, .jsonl) in FOLDER, else a .txt beside each recording.",
)  # fmt: skip
@click.option(
    "--language", help="Of all recordings. Default: the table's, else the config's first."
)
@click.option("--speaker", help="Of all recordings. Default: the table's, else the file's folder.")
@click.option(
    "--max-seconds",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    help="Skip longer recordings.",
)
@click.option(
    "--workers", type=click.IntRange(0), default=0, show_default=True,
    help="Processes; 0 works in this one.",
)  # fmt: skip
@click.option(
    "--device", default="cpu", show_default=True,
    help="Where the codec runs: auto, cpu, cuda, cuda:1. Another device rounds differently.",
)  # fmt: skip
@click.option(
    "--slices", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True,
    help="Cut recordings into the segments that `data transcribe` heard; auto: those over 15 s, or "
    "of several speakers.",
)  # fmt: skip
@click.option(
    "--level", type=click.FloatRange(-60, 0), metavar="DB",
    help="Bring all recordings to this loudness, -23 say. Default: as they are.",
)  # fmt: skip
@click.option("--stride", type=click.IntRange(1), default=1, help="Only every so many-th, ...")
@click.option("--offset", type=click.IntRange(0), default=0, help="... from this one on.")
@click.option(
    "--voices-only", is_flag=True,
    help="Recordings need no transcript and get no text: they teach how voices sound.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit with 8 if any recording was skipped.")
@click.pass_obj
def process(
    app: App,
    source: Path,
    output: Path,
    path: Path | None,
    overrides: tuple[str, ...],
    transcripts: Path | None,
    language: str | None,
    speaker: str | None,
    max_seconds: float,
    workers: int,
    device: str,
    slices: Mode,
    level: float | None,
    stride: int,
    offset: int,
    voices_only: bool,
    strict: bool,
) -> None:
    """Encode the recordings in FOLDER and phonemize what is said in them.

    Can be stopped at any time, and goes on where it was. Recordings that cannot be used are
    skipped, and listed with the reason in OUTPUT/skipped.jsonl. Exit code 0: the dataset is
    complete (recordings may have been skipped, see --strict); 8: nothing was usable.
    """
    from vall_e.config.load import load
    from vall_e.data.prepare import make_preparer
    from vall_e.data.recordings import NOISE, find_recordings

    config = load(path, app.registry, overrides=overrides, environ=app.environ)
    recordings = find_recordings(source, transcripts=transcripts, speaker=speaker, slices=slices)[
        offset::stride
    ]
    make: partial[Preparer] = partial(
        make_preparer, config,
        language=language, max_seconds=max_seconds, device=device, voices_only=voices_only,
        level=level,
    )  # fmt: skip
    if workers:
        make = partial(
            _make, _plain(config), app.environ, app.load_plugins,
            language=language, max_seconds=max_seconds, device=device, voices_only=voices_only,
            level=level,
        )  # fmt: skip
    noise = [one for one in recordings if one.is_noise and not voices_only]
    speech = [one for one in recordings if not one.is_noise or voices_only]
    if speech:
        _run(app, speech, output, make, workers, strict)
    if noise:
        _run(app, noise, output / NOISE, partial(make, voices_only=True), workers, strict)


def _run(
    app: App,
    recordings: Sequence[Recording],
    output: Path,
    make: Callable[[], Preparer],
    workers: int,
    strict: bool,
) -> None:
    from vall_e.data.process import process as run

    started = time.perf_counter()
    seen = 0.0

    with bar(app.console, len(recordings)) as advance:

        def on_item(item: Prepared | Skipped) -> None:
            nonlocal seen
            seen += getattr(item, "seconds", 0.0)
            advance()

        report = run(recordings, output, make, workers=workers, on_item=on_item)
    _say(report, output, seen, time.perf_counter() - started)
    if not report.info.utterances or (strict and report.skipped):
        used = "no recording could be used" if not report.info.utterances else "some were skipped"
        raise DataError(f"{output}: {used}", hint=f"see {output / 'skipped.jsonl'} for the reasons")


def _plain(config: RunConfig) -> dict[str, Any]:
    from vall_e.config.load import unstructure

    plain: dict[str, Any] = unstructure(config)
    return plain


def _make(
    raw: dict[str, Any],
    environ: Mapping[str, str],
    load_plugins: bool,
    *,
    language: str | None,
    max_seconds: float,
    device: str,
    voices_only: bool,
    level: float | None,
) -> Preparer:
    """The preparer of a worker process, which finds the components for itself."""
    from vall_e.config.load import structure
    from vall_e.data.prepare import make_preparer
    from vall_e.discovery import discover

    registry = discover(environ=environ, load_plugins=load_plugins)
    config = structure(raw, registry, source="config")
    return make_preparer(
        config,
        language=language,
        max_seconds=max_seconds,
        device=device,
        voices_only=voices_only,
        level=level,
    )


def _say(report: Report, output: Path, seconds: float, elapsed: float) -> None:
    info = report.info
    click.echo(
        f"{output}: {info.utterances} utterances, {info.seconds / 3600:.2f} h, "
        f"{info.speakers} speakers, codec {info.codec}"
    )
    click.echo(
        f"{report.done} new, {report.already} there already, {len(report.skipped)} skipped; "
        f"{report.done / elapsed:.1f} recordings/s, {seconds / elapsed:.0f} times real time"
    )
    for reason, count in report.reasons.most_common(REASONS):
        click.echo(f"  skipped {count}: {reason}")
    if len(report.reasons) > REASONS:
        click.echo(f"  and more, see {output / 'skipped.jsonl'}")
