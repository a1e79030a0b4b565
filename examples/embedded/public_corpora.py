r"""Give public corpora, as they are downloaded, the table that `vall-e data process` reads.

    python public_corpora.py librispeech LibriSpeech/dev-clean -o corpora/librispeech
    python public_corpora.py ljspeech LJSpeech-1.1 -o corpora/ljspeech
    python public_corpora.py arctic dataset-voice-kathleen --prompts cmuarctic.data \
        --speaker kathleen -o corpora/kathleen --held-out corpora/kathleen-eval
    python public_corpora.py orders speech-to-intent-benchmark -o corpora/orders

Nothing is copied: OUTPUT/transcripts.tsv names the recordings where they are.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from attrs import frozen

COLUMNS = ("id", "speaker", "lang", "path", "text")
PROMPT = re.compile(r'\(\s*(arctic_[ab]\d{4})\s+"(.*)"\s*\)')
ARCTIC = re.compile(r"arctic_[ab]\d{4}")
AUDIO = (".wav", ".flac", ".ogg", ".opus")
HELD_OUT_EVERY, HELD_OUT = 28, 40
"""Every 28th Arctic prompt, 40 of them, is for evaluation only."""
ORDERS = Path(__file__).with_name("orders.tsv")

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUTPUT = click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path)
)


@frozen
class Utterance:
    """A recording, its speaker and its text."""

    id: str
    speaker: str
    path: Path
    text: str


@click.group(help=__doc__.partition("\n")[0] if __doc__ else "")
def main() -> None:
    """The commands: one for each corpus layout."""


@main.command()
@click.argument("folder", type=FOLDER)
@OUTPUT
@click.option(
    "--per-speaker", type=click.IntRange(1), help="Use this many recordings of each speaker."
)
def librispeech(folder: Path, output: Path, per_speaker: int | None) -> None:
    """A part of LibriSpeech, such as dev-clean."""
    write_table(_first(read_librispeech(folder), per_speaker), output)


@main.command()
@click.argument("folder", type=FOLDER)
@OUTPUT
@click.option("--count", type=click.IntRange(1), help="Use this many clips.")
def ljspeech(folder: Path, output: Path, count: int | None) -> None:
    """LJ Speech."""
    write_table(_first(read_ljspeech(folder), count), output)


@main.command()
@click.argument("folder", type=FOLDER)
@OUTPUT
@click.option("--prompts", required=True, type=FILE, help="cmuarctic.data of festvox.org.")
@click.option("--speaker", required=True, help="Name of the voice.")
@click.option(
    "--held-out", type=click.Path(file_okay=False, path_type=Path), help="For evaluation."
)
def arctic(folder: Path, output: Path, prompts: Path, speaker: str, held_out: Path | None) -> None:
    """Anybody's recordings of the CMU Arctic prompts; of several takes the last one counts."""
    utterances = list(read_arctic(folder, read_prompts(prompts), speaker))
    kept_back = set()
    if held_out:
        kept_back = held_out_ids(prompts)
        write_table((u for u in utterances if u.id in kept_back), held_out)
    write_table((u for u in utterances if u.id not in kept_back), output)


@main.command()
@click.argument("folder", type=FOLDER)
@OUTPUT
def orders(folder: Path, output: Path) -> None:
    """Picovoice's spoken coffee orders; speakers and texts are those of orders.tsv."""
    write_table(read_orders(folder), output)


def read_librispeech(folder: Path) -> Iterator[Utterance]:
    for table in sorted(folder.rglob("*.trans.txt")):
        for line in _lines(table):
            name, _, text = line.partition(" ")
            yield Utterance(name, f"LS{name.split('-')[0]}", table.parent / f"{name}.flac", text)


def read_ljspeech(folder: Path) -> Iterator[Utterance]:
    for line in _lines(folder / "metadata.csv"):
        name, _, text = line.split("|")
        yield Utterance(name, "LJ", folder / "wavs" / f"{name}.wav", text)


def read_prompts(path: Path) -> dict[str, str]:
    """Texts by prompt, in the order of the file."""
    found = (PROMPT.fullmatch(line.strip()) for line in _lines(path))
    return {match[1]: match[2] for match in found if match}


def held_out_ids(prompts: Path) -> set[str]:
    return set(list(read_prompts(prompts))[::HELD_OUT_EVERY][:HELD_OUT])


def read_arctic(folder: Path, prompts: dict[str, str], speaker: str) -> Iterator[Utterance]:
    takes: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        match = ARCTIC.search(path.stem)
        if match and path.suffix.lower() in AUDIO:
            takes[match[0]] = path
    for name, text in prompts.items():
        if name in takes:
            yield Utterance(name, speaker, takes[name], text)


def read_orders(folder: Path, table: Path = ORDERS) -> Iterator[Utterance]:
    audio = {path.name[:8]: path for path in sorted(folder.rglob("clean/*.wav"))}
    for row in csv.DictReader(_lines(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["file"] in audio:
            yield Utterance(row["file"], row["speaker"], audio[row["file"]], row["text"])


def write_table(utterances: Iterable[Utterance], output: Path) -> None:
    """Write `transcripts.tsv`, with paths relative to it."""
    rows = [
        (u.id, u.speaker, "en", os.path.relpath(u.path, output), " ".join(u.text.split()))
        for u in utterances
    ]
    if not rows:
        raise click.ClickException(
            f"{output}: nothing was found\nHint: name the folder that the archive unpacks to"
        )
    output.mkdir(parents=True, exist_ok=True)
    part = output / "transcripts.tsv.part"
    part.write_text("".join("\t".join(row) + "\n" for row in (COLUMNS, *rows)), encoding="utf-8")
    os.replace(part, output / "transcripts.tsv")
    speakers = len({row[1] for row in rows})
    click.echo(f"{output}: {len(rows)} recordings, {speakers} speakers")


def _first(utterances: Iterable[Utterance], count: int | None) -> Iterator[Utterance]:
    """The first `count` of each speaker; None: all."""
    seen: Counter[str] = Counter()
    for utterance in utterances:
        seen[utterance.speaker] += 1
        if count is None or seen[utterance.speaker] <= count:
            yield utterance


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    main()
