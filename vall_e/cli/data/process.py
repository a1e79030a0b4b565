"""`vall-e data process`: recordings to a dataset."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click
from attrs import frozen

from vall_e.cli.app import App
from vall_e.cli.data.stride import share, shared
from vall_e.cli.data.url_or_folder import DatasetTarget, FolderOrUrl, target_of
from vall_e.cli.finite_range import FiniteRange
from vall_e.cli.terminal.progress_bar import bar
from vall_e.data.ingest.options import IngestOptions
from vall_e.data.ingest.preparer_factory import PreparerFactory
from vall_e.errors import DataError

if TYPE_CHECKING:
    from vall_e.data.ingest.encode_recording import Prepared, SkippedRecording
    from vall_e.data.ingest.process import ProcessReport
    from vall_e.data.ingest.recordings import Recording
    from vall_e.data.ingest.segments import Mode
    from vall_e.interfaces.data_engine import DataEngine

file = click.Path(exists=True, dir_okay=False, path_type=Path)
REASONS = 10  # printed at the end; skipped.jsonl lists all


@click.command()
@click.argument("source", metavar="FOLDER", type=FolderOrUrl(exists=True))
@click.option(
    "-o", "--output", required=True, type=FolderOrUrl(),
    help="Folder of the dataset, or URL like s3://BUCKET/FOLDER; an existing one is extended.",
)  # fmt: skip
@click.option(
    "-c", "--config", "path", type=file, help="YAML file with the codec and text options."
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change an option.")
@click.option(
    "--transcripts", type=file,
    help="Table with columns path and text. Default: transcripts, metadata or corpus "
    "(.tsv, .csv, .json, .jsonl) in FOLDER, else a .txt file next to each recording.",
)  # fmt: skip
@click.option(
    "--language",
    help="Language of all recordings. Default: from the table, else the config's first.",
)
@click.option(
    "--speaker", help="Speaker of all recordings. Default: from the table, else the folder name."
)
@click.option(
    "--max-seconds",
    type=FiniteRange(0),
    default=60.0,
    show_default=True,
    help="Skip longer recordings.",
)
@click.option(
    "--engine", default="local", show_default=True, metavar="NAME",
    help="Data engine: local, ray, or one from a plugin; with options: "
    "'{name: ray, address: auto}'.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(0), default=0, show_default=True,
    help="Number of processes; 0 uses this one (with ray: one for each core).",
)  # fmt: skip
@click.option(
    "--device", default="cpu", show_default=True,
    help="Device of the codec: auto, cpu, cuda, cuda:1. Results differ slightly between devices.",
)  # fmt: skip
@click.option(
    "--slices", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True,
    help="Split recordings into the segments found by `data transcribe`; auto: only those over "
    "15 s or with several speakers.",
)  # fmt: skip
@click.option(
    "--level", type=FiniteRange(-60, 0), metavar="DB",
    help="Normalize all recordings to this loudness, for example -23. Default: no change.",
)  # fmt: skip
@share
@click.option(
    "--voices-only", is_flag=True,
    help="Recordings without transcripts: the dataset has no text and teaches only voices.",
)  # fmt: skip
@click.option(
    "--drop-unusual", is_flag=True,
    help="Skip recordings whose symbols per second are far off, as `data stats` lists them, or "
    "whose level is more than 15 dB from the speaker's median. Reads all audio twice.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit with 8 if any recording was skipped.")
@click.option(
    "--work", type=click.Path(file_okay=False, path_type=Path),
    help="Local working folder if the output is a URL. Default: in VALL_E_HOME.",
)  # fmt: skip
@click.pass_obj
def process(
    app: App,
    source: Path | str,
    output: Path | str,
    path: Path | None,
    overrides: tuple[str, ...],
    transcripts: Path | None,
    language: str | None,
    speaker: str | None,
    max_seconds: float,
    engine: str,
    workers: int,
    device: str,
    slices: Mode,
    level: float | None,
    stride: int,
    offset: int,
    voices_only: bool,
    drop_unusual: bool,
    strict: bool,
    work: Path | None,
) -> None:
    """Encode the recordings in FOLDER and phonemize their transcripts.

    Can be stopped at any time and continues where it stopped. Recordings that cannot be used are
    skipped, and listed with the reason in OUTPUT/skipped.jsonl. Exit code 0: the dataset is
    complete (recordings may have been skipped, see --strict); 8: no recording was usable.
    """
    from vall_e.config.choices import DataEngineChoice
    from vall_e.config.component_option import choose
    from vall_e.config.load import load

    config = load(path, app.registry, overrides=overrides, environ=app.environ)
    options = IngestOptions(language, max_seconds, device, voices_only, level)
    choice = choose(engine, DataEngineChoice, app.registry, source="--engine")
    run = _Run(
        app,
        PreparerFactory(config, options, app.environ, app.load_plugins),
        choice.build(workers=workers),
    )
    if drop_unusual and not isinstance(source, Path):
        raise click.UsageError("--drop-unusual needs a folder on this machine: it reads all audio.")
    target = target_of(app, output, work)
    with _found(source, transcripts, speaker, slices) as recordings:
        if drop_unusual:
            recordings = run.without_unusual(recordings)
        made = run.on_all(shared(recordings, stride, offset), target)
    target.publish()
    for one in made:
        one.say()
    for one in made:
        one.require(strict)


@contextmanager
def _found(
    source: Path | str, transcripts: Path | None, speaker: str | None, slices: Mode
) -> Iterator[list[Recording]]:
    """The recordings of a folder or a URL; a URL is mirrored locally while it is used."""
    from vall_e.data.ingest.object_storage import located, mirror
    from vall_e.data.ingest.recordings import find_recordings

    if isinstance(source, Path):
        yield find_recordings(source, transcripts=transcripts, speaker=speaker, slices=slices)
        return
    with tempfile.TemporaryDirectory(prefix="vall-e-") as parent:
        folder = mirror(source, Path(parent))
        found = find_recordings(folder, transcripts=transcripts, speaker=speaker, slices=slices)
        yield located(found, folder, source)


@frozen
class _Run:
    """Makes datasets from recordings, with a progress bar."""

    app: App
    factory: PreparerFactory
    engine: DataEngine

    def without_unusual(self, recordings: Sequence[Recording]) -> list[Recording]:
        from vall_e.data.inspect.unusual import without_unusual

        with bar(self.app.console, len(recordings), "checked") as advance:
            return without_unusual(recordings, on_item=advance)

    def on_all(self, recordings: Sequence[Recording], target: DatasetTarget) -> list[_Made]:
        """Add speech to the target, and noise to a dataset of its own inside it."""
        from vall_e.data.ingest.recordings import NOISE

        anything = self.factory.options.voices_only
        speech = [one for one in recordings if anything or not one.is_noise]
        noise = [one for one in recordings if not anything and one.is_noise]
        made = [self._on(speech, target, self.factory)] if speech else []
        if noise:
            options = attrs.evolve(self.factory.options, voices_only=True)
            factory = attrs.evolve(self.factory, options=options)
            made.append(self._on(noise, target.below(NOISE), factory))
        return made

    def _on(
        self, recordings: Sequence[Recording], target: DatasetTarget, factory: PreparerFactory
    ) -> _Made:
        from vall_e.data.ingest.process import process as run

        started = time.perf_counter()
        seen = 0.0
        with bar(self.app.console, len(recordings)) as advance:

            def on_item(item: Prepared | SkippedRecording) -> None:
                nonlocal seen
                seen += getattr(item, "seconds", 0.0)
                advance()

            report = run(recordings, target.folder, factory, engine=self.engine, on_item=on_item)
        return _Made(str(target), report, seen, time.perf_counter() - started)


@frozen
class _Made:
    """A dataset, the report of its processing, and the seconds of new recordings."""

    name: str
    report: ProcessReport
    seconds: float
    elapsed: float

    def say(self) -> None:
        report, info = self.report, self.report.info
        click.echo(
            f"{self.name}: {info.utterances} utterances, {info.seconds / 3600:.2f} h, "
            f"{info.speakers} speakers, codec {info.codec}"
        )
        click.echo(
            f"{report.done} new, {report.already} already done, {len(report.skipped)} skipped; "
            f"{report.done / self.elapsed:.1f} recordings/s, "
            f"{self.seconds / self.elapsed:.0f} times faster than real time"
        )
        for reason, count in report.reasons.most_common(REASONS):
            click.echo(f"  skipped {count}: {reason}")
        if len(report.reasons) > REASONS:
            click.echo(f"  and more, see {self.name}/skipped.jsonl")

    def require(self, strict: bool) -> None:
        """Raise `DataError` if nothing could be used, or, if `strict`, anything was skipped."""
        report = self.report
        if report.info.utterances and not (strict and report.skipped):
            return
        used = "some were skipped" if report.info.utterances else "no recording could be used"
        raise DataError(
            f"{self.name}: {used}", hint=f"see {self.name}/skipped.jsonl for the reasons"
        )
