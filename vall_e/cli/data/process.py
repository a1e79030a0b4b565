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
REASONS = 10  # shown at the end; skipped.jsonl has all


@click.command()
@click.argument("source", metavar="FOLDER", type=FolderOrUrl(exists=True))
@click.option(
    "-o", "--output", required=True, type=FolderOrUrl(),
    help="Folder of the dataset, or URL as s3://BUCKET/FOLDER; one that is there is added to.",
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
    type=FiniteRange(0),
    default=60.0,
    show_default=True,
    help="Skip longer recordings.",
)
@click.option(
    "--engine", default="local", show_default=True, metavar="NAME",
    help="Who does the work: local, ray, or a plugin's; with options: "
    "'{name: ray, address: auto}'.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(0), default=0, show_default=True,
    help="Processes; 0 works in this one, with ray in as many as there are cores.",
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
    "--level", type=FiniteRange(-60, 0), metavar="DB",
    help="Bring all recordings to this loudness, -23 say. Default: as they are.",
)  # fmt: skip
@share
@click.option(
    "--voices-only", is_flag=True,
    help="Recordings need no transcript and get no text: they teach how voices sound.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit with 8 if any recording was skipped.")
@click.option(
    "--work", type=click.Path(file_okay=False, path_type=Path),
    help="Where what goes to a URL is made. Default: in VALL_E_HOME.",
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
    strict: bool,
    work: Path | None,
) -> None:
    """Encode the recordings in FOLDER and phonemize what is said in them.

    Can be stopped at any time, and goes on where it was. Recordings that cannot be used are
    skipped, and listed with the reason in OUTPUT/skipped.jsonl. Exit code 0: the dataset is
    complete (recordings may have been skipped, see --strict); 8: nothing was usable.
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
    target = target_of(app, output, work)
    with _found(source, transcripts, speaker, slices) as recordings:
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
    """The recordings of a folder, or of a URL, of which there is a mirror for the while."""
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
    """Makes datasets of recordings, with a bar."""

    app: App
    factory: PreparerFactory
    engine: DataEngine

    def on_all(self, recordings: Sequence[Recording], target: DatasetTarget) -> list[_Made]:
        """Speech to the target, noise to a dataset of its own in there."""
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
    """A dataset, what became of its recordings, and the seconds of them that were new."""

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
            f"{report.done} new, {report.already} there already, {len(report.skipped)} skipped; "
            f"{report.done / self.elapsed:.1f} recordings/s, "
            f"{self.seconds / self.elapsed:.0f} times real time"
        )
        for reason, count in report.reasons.most_common(REASONS):
            click.echo(f"  skipped {count}: {reason}")
        if len(report.reasons) > REASONS:
            click.echo(f"  and more, see {self.name}/skipped.jsonl")

    def require(self, strict: bool) -> None:
        """Raise `DataError` if nothing could be used, or if `strict` and something could not."""
        report = self.report
        if report.info.utterances and not (strict and report.skipped):
            return
        used = "some were skipped" if report.info.utterances else "no recording could be used"
        raise DataError(
            f"{self.name}: {used}", hint=f"see {self.name}/skipped.jsonl for the reasons"
        )
