"""`vall-e data list`, `sample`, `validate`, `metadata`: the utterances of a folder."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click
from attrs import field, frozen

from vall_e.cli.app import App
from vall_e.cli.data.options import AS_JSON, FOLDER, MODEL, TRANSCRIPTS, survey_at, vocabulary_of
from vall_e.cli.finite_range import FiniteRange
from vall_e.cli.option_groups import Grouped, grouped, option
from vall_e.cli.terminal.progress_bar import bar
from vall_e.errors import DataError

if TYPE_CHECKING:
    from vall_e.data.inspect.stats import UtteranceInfo
    from vall_e.interfaces.store import Stored

file = click.Path(exists=True, dir_okay=False, path_type=Path)


@frozen
class Picked:
    """A selection of utterances."""

    speaker: str | None = field(metadata=option("--speaker", help="Only from this speaker."))
    language: str | None = field(metadata=option("--language", help="Only in this language."))
    min_seconds: float = field(
        metadata=option("--min-seconds", type=FiniteRange(0), default=0.0, help="Minimum length.")
    )
    max_seconds: float | None = field(
        metadata=option("--max-seconds", type=FiniteRange(0), help="Maximum length.")
    )

    def holds(self, item: UtteranceInfo) -> bool:
        longest = float("inf") if self.max_seconds is None else self.max_seconds
        return (
            self.speaker in (None, item.speaker)
            and self.language in (None, item.language)
            and self.min_seconds <= item.seconds <= longest
        )


@click.command()
@FOLDER
@TRANSCRIPTS
@MODEL
@AS_JSON
@click.pass_obj
def validate(
    app: App, source: Path, transcripts: Path | None, model: Path | None, as_json: bool
) -> None:
    """Read a whole dataset, or a folder of recordings, and report problems.

    Exit code 8 if there are any.
    """
    from vall_e.data.dataset.open import open_described
    from vall_e.data.inspect.check import validate as run

    dataset = open_described(source, app.registry)
    if model and dataset is None:
        raise click.UsageError(
            f"-m needs a dataset: the recordings in {source} have no phonemes yet."
        )
    vocabulary = vocabulary_of(model) if model else None
    total = len(survey_at(app, source, transcripts).items)
    with bar(app.console, total) as advance:
        count, problems = run(
            source,
            dataset=dataset,
            transcripts=transcripts,
            vocabulary=vocabulary,
            on_item=advance,
        )
    for problem in problems:
        row = attrs.asdict(problem)
        click.echo(
            json.dumps(row, ensure_ascii=False) if as_json else "{id}: {reason}".format_map(row)
        )
    bad = len({problem.id for problem in problems})
    if bad:
        raise DataError(
            f"{source}: {bad} of {count} have problems",
            hint=_hint(dataset),
        )
    if not as_json:
        click.echo(f"{source}: all {count} are valid")


def _hint(dataset: Stored | None) -> str:
    if dataset is None:
        return "repair or ignore them: `vall-e data process` skips them"
    return f"make {dataset.folder} again, or skip them in training: data.bad_items=skip"


@click.command("list", cls=Grouped)
@FOLDER
@TRANSCRIPTS
@grouped(picked=Picked)
@AS_JSON
@click.pass_obj
def list_items(
    app: App,
    source: Path,
    transcripts: Path | None,
    picked: Picked,
    as_json: bool,
) -> None:
    """List utterances: id, speaker, language, seconds, text."""
    for item in _items(app, source, transcripts, picked):
        click.echo(_line(item, as_json))


@click.command(cls=Grouped)
@FOLDER
@TRANSCRIPTS
@grouped(picked=Picked)
@click.option(
    "-n", "--number", type=click.IntRange(1), default=5, show_default=True, help="How many."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed.")
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the audio and text files; a dataset's codes are decoded.",
)  # fmt: skip
@click.option("-c", "--config", type=file, help="YAML file with the codec to decode with.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change an option.")
@AS_JSON
@click.pass_obj
def sample(
    app: App,
    source: Path,
    transcripts: Path | None,
    picked: Picked,
    number: int,
    seed: int,
    output: Path | None,
    config: Path | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Choose utterances at random, and write them as audio and text."""
    if (config or overrides) and not output:
        raise click.UsageError("-c and --set choose the codec for -o: give -o too.")
    items = _items(app, source, transcripts, picked)
    drawn = random.Random(seed).sample(items, min(number, len(items)))
    for item in drawn:
        click.echo(_line(item, as_json))
    if output:
        from vall_e.config.load import load
        from vall_e.data.dataset.open import open_described
        from vall_e.data.inspect.export_audio import write_sounds

        options = load(config, app.registry, overrides=overrides, environ=app.environ)
        dataset = open_described(source, app.registry)
        failed = write_sounds(dataset, drawn, output, options.codec.build)
        for identity, reason in failed:
            click.echo(f"failed {identity}: {reason}", err=True)
        if failed:
            raise DataError(
                f"{len(failed)} of {len(drawn)} could not be written to {output}",
                hint=f"look for other problems: vall-e data validate {source}",
            )


@click.command()
@FOLDER
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path),
    help="Output folder, with one SPEAKER.json for each speaker.",
)  # fmt: skip
@click.pass_obj
def metadata(app: App, source: Path, output: Path) -> None:
    """Write a dataset's metadata as JSON, one file for each speaker.

    Each file maps ids to: text, phonemes, language, duration (in seconds) and, after
    `vall-e data similar`, the positions of the most similar utterances in the file.
    """
    from vall_e.data.dataset.open import open_stored
    from vall_e.data.inspect.speakers_json import write_metadata

    count = write_metadata(open_stored(source, app.registry), output)
    click.echo(f"{output}: {count} speakers")


def _items(app: App, source: Path, transcripts: Path | None, picked: Picked) -> list[UtteranceInfo]:
    items = [item for item in survey_at(app, source, transcripts).items if picked.holds(item)]
    if not items:
        raise DataError(f"{source} has no such utterance", hint="use fewer or wider filters")
    return items


def _line(item: UtteranceInfo, as_json: bool) -> str:
    if not as_json:
        return f"{item.id}\t{item.speaker}\t{item.language}\t{item.seconds:.2f}\t{item.text}"
    row = {**attrs.asdict(item), "path": str(item.path) if item.path else None}
    return json.dumps(row, ensure_ascii=False)
