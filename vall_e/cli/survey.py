"""`vall-e data stats`, `list`, `sample`, `validate`, `metadata`: what a folder holds."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from vall_e.cli.app import App
from vall_e.cli.bar import bar
from vall_e.errors import DataError

if TYPE_CHECKING:
    from collections import Counter

    from vall_e.data.survey import Group, Item, Survey
    from vall_e.text.vocabulary import Vocabulary

WIDTH = 40
"""Of the longest bar."""
FEW = 20
"""Lines of a list; `--all` and `--json` show the rest."""
folder = click.Path(exists=True, file_okay=False, path_type=Path)
file = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.argument("source", metavar="FOLDER", type=folder)
TRANSCRIPTS = click.option("--transcripts", type=file, help="Table, as of `data process`.")
MODEL = click.option(
    "-m", "--model", type=click.Path(exists=True, path_type=Path),
    help="Weights or training folder: tell what its vocabulary lacks.",
)  # fmt: skip
AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


def _picked(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which utterances."""
    for option in (
        click.option("--max-seconds", type=click.FloatRange(0), help="Only those up to this."),
        click.option("--min-seconds", type=click.FloatRange(0), default=0.0, help="Only longer."),
        click.option("--language", help="Only of this language."),
        click.option("--speaker", help="Only of this speaker."),
    ):
        command = option(command)
    return command


@click.command()
@FOLDER
@TRANSCRIPTS
@MODEL
@click.option("--all", "everything", is_flag=True, help=f"More than {FEW} lines of each list.")
@AS_JSON
@click.pass_obj
def stats(
    app: App,
    source: Path,
    transcripts: Path | None,
    model: Path | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Plot lengths, speakers, languages and symbols of a dataset, or of a folder of recordings."""
    from vall_e.data.survey import survey

    found = survey(source, transcripts=transcripts)
    unknown = _unknown(found, _vocabulary(model)) if model else None
    if as_json:
        click.echo(json.dumps(_facts(found, unknown), ensure_ascii=False, indent=2))
        return
    for line in _report(found, unknown, None if everything else FEW):
        click.echo(line)


@click.command()
@FOLDER
@TRANSCRIPTS
@MODEL
@AS_JSON
@click.pass_obj
def validate(
    app: App, source: Path, transcripts: Path | None, model: Path | None, as_json: bool
) -> None:
    """Read all of a dataset, or of a folder of recordings, and tell what is wrong.

    Exit code 8 if anything is.
    """
    from vall_e.data.survey import survey
    from vall_e.data.validation import validate as run

    vocabulary = _vocabulary(model) if model else None
    total = len(survey(source, transcripts=transcripts).items)
    with bar(app.console, total) as advance:
        count, problems = run(
            source, transcripts=transcripts, vocabulary=vocabulary, on_item=advance
        )
    for problem in problems:
        row = attrs.asdict(problem)
        click.echo(
            json.dumps(row, ensure_ascii=False) if as_json else "{id}: {reason}".format_map(row)
        )
    bad = len({problem.id for problem in problems})
    if bad:
        raise DataError(
            f"{source}: something is wrong with {bad} of {count}",
            hint="mend them, or leave them out; recordings are skipped by `vall-e data process`",
        )
    if not as_json:
        click.echo(f"{source}: {count} are all right")


@click.command("list")
@FOLDER
@TRANSCRIPTS
@_picked
@AS_JSON
def list_items(
    source: Path,
    transcripts: Path | None,
    speaker: str | None,
    language: str | None,
    min_seconds: float,
    max_seconds: float | None,
    as_json: bool,
) -> None:
    """List utterances: id, speaker, language, seconds, text."""
    for item in _items(source, transcripts, speaker, language, min_seconds, max_seconds):
        click.echo(_line(item, as_json))


@click.command()
@FOLDER
@TRANSCRIPTS
@_picked
@click.option("-n", "--number", type=click.IntRange(1), default=5, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path),
    help="Folder for their sound and texts; a dataset's codes are decoded.",
)  # fmt: skip
@click.option("-c", "--config", type=file, help="YAML file: its codec decodes.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change an option.")
@AS_JSON
@click.pass_obj
def sample(
    app: App,
    source: Path,
    transcripts: Path | None,
    speaker: str | None,
    language: str | None,
    min_seconds: float,
    max_seconds: float | None,
    number: int,
    seed: int,
    output: Path | None,
    config: Path | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Draw some utterances, and write what a model would hear of them."""
    items = _items(source, transcripts, speaker, language, min_seconds, max_seconds)
    drawn = random.Random(seed).sample(items, min(number, len(items)))
    for item in drawn:
        click.echo(_line(item, as_json))
    if output:
        from vall_e.config.load import load
        from vall_e.data.hearing import write_sounds

        options = load(config, app.registry, overrides=overrides, environ=app.environ)
        write_sounds(source, drawn, output, options.codec.build)


@click.command()
@FOLDER
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path),
    help="Folder for one SPEAKER.json each.",
)  # fmt: skip
def metadata(source: Path, output: Path) -> None:
    """Write what a dataset knows of its utterances as JSON, one file a speaker.

    Each is an object of ids: text, phonemes, language, duration (in seconds) and, after
    `vall-e data similar`, the places of the most similar in that object.
    """
    from vall_e.data.speakers_json import write_metadata

    count = write_metadata(source, output)
    click.echo(f"{output}: {count} speakers")


def _items(
    source: Path,
    transcripts: Path | None,
    speaker: str | None,
    language: str | None,
    least: float,
    most: float | None,
) -> list[Item]:
    from vall_e.data.survey import survey

    items = [
        item
        for item in survey(source, transcripts=transcripts).items
        if speaker in (None, item.speaker)
        and language in (None, item.language)
        and least <= item.seconds <= (float("inf") if most is None else most)
    ]
    if not items:
        raise DataError(f"{source} has no such utterance", hint="widen what is asked for")
    return items


def _line(item: Item, as_json: bool) -> str:
    if not as_json:
        return f"{item.id}\t{item.speaker}\t{item.language}\t{item.seconds:.2f}\t{item.text}"
    row = {**attrs.asdict(item), "path": str(item.path) if item.path else None}
    return json.dumps(row, ensure_ascii=False)


def _vocabulary(model: Path) -> Vocabulary:
    from vall_e.model.weights import read_metadata
    from vall_e.text.vocabulary import Vocabulary
    from vall_e.training.checkpoint import find_weights

    return Vocabulary.from_json(read_metadata(find_weights(model))["vocabulary"])


def _unknown(found: Survey, vocabulary: Vocabulary) -> Counter[str]:
    from collections import Counter

    from vall_e.text.spelling import canonical

    unknown: Counter[str] = Counter()
    for item in found.items:
        unknown += vocabulary.look_up(canonical(item.phonemes)).unknown
    return unknown


def _facts(found: Survey, unknown: Counter[str] | None) -> dict[str, Any]:
    return {
        "utterances": len(found.items),
        "seconds": round(sum(found.seconds), 3),
        "lengths": [
            {"from": low, "to": high, "utterances": count} for low, high, count in found.histogram()
        ],
        "speakers": [attrs.asdict(group) for group in found.speakers],
        "languages": [attrs.asdict(group) for group in found.languages],
        "symbols": dict(found.symbols.most_common()),
        "unknown": None if unknown is None else dict(unknown.most_common()),
        "outliers": {one.item.id: one.reason for one in found.outliers()},
        "problems": {item.id: item.problem for item in found.items if item.problem},
    }


def _report(found: Survey, unknown: Counter[str] | None, most: int | None) -> list[str]:
    total = sum(found.seconds)
    middle = ", ".join(f"{share:.0%} {found.quantile(share):.1f}" for share in (0.05, 0.5, 0.95))
    lines = [f"{len(found.items)} utterances, {total / 3600:.2f} h; seconds: {middle}"]
    lines += ["", "seconds", *_bars([(f"{a:g} to {b:g}", n, "") for a, b, n in found.histogram()])]
    lines += ["", f"speakers: {len(found.speakers)}", *_cut(_group_bars(found.speakers), most)]
    lines += ["", "languages", *_cut(_group_bars(found.languages), most)]
    symbols = found.symbols
    lines += ["", f"symbols: {len(symbols)}", *_cut(_symbol_bars(symbols), most)]
    lines += _listed("rare symbols", [f"{s!r} x {n}" for s, n in found.rare.most_common()], most)
    if unknown is not None:
        named = [f"{symbol!r} x {n}" for symbol, n in unknown.most_common()]
        lines += _listed("symbols that the model lacks", named or ["none"], most)
    told = [f"{one.item.id}: {one.reason}" for one in found.outliers()]
    lines += _listed("unusual for their length", told, most)
    bad = [f"{item.id}: {item.problem}" for item in found.items if item.problem]
    return lines + _listed("cannot be used", bad, most)


def _group_bars(groups: Sequence[Group]) -> list[str]:
    return _bars([(one.name, one.utterances, f"{one.seconds / 60:.1f} min") for one in groups])


def _symbol_bars(symbols: Counter[str]) -> list[str]:
    return _bars([(repr(symbol), count, "") for symbol, count in symbols.most_common()])


def _bars(rows: Sequence[tuple[str, int, str]]) -> list[str]:
    """A line each: a label, a bar as long as the number, the number, and a note."""
    longest = max((number for _, number, _ in rows), default=1) or 1
    label = max((len(name) for name, _, _ in rows), default=0)
    return [
        f"  {name:>{label}}  {'█' * -(-number * WIDTH // longest)} {number} {note}".rstrip()
        for name, number, note in rows
    ]


def _listed(title: str, lines: Sequence[str], most: int | None) -> list[str]:
    return ["", title, *_cut([f"  {line}" for line in lines], most)] if lines else []


def _cut(lines: Sequence[str], most: int | None) -> list[str]:
    if most is None or len(lines) <= most:
        return list(lines)
    return [*lines[:most], f"  and {len(lines) - most} more, see --all"]
