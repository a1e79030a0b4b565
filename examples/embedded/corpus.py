r"""Make a corpus of synthetic speech: many sentences, many invented speakers, free engines.

    python corpus.py --text lj.txt --text libritts.txt --without harvard.txt \
        --speakers-json speakers.json --per-speaker 700 --max-words 14 --output corpora/synthetic

Writes `OUTPUT/corpus.tsv` (speaker, engine, gender, lang, seconds, path, text) and the recordings,
24 kHz, mono. A run that was stopped continues if the same command is given again.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click
from generate_recordings import SUBTYPES, Corpus, Format, Made, Plan, fill
from speakers import ACCENTS, Engine, invent, read_speakers
from tts_engines import Engines

from vall_e.errors import DataError, VallEError

SHARES: dict[Engine, float] = {"espeak": 0.35, "flite": 0.50, "festival": 0.15}
"""Shares of the engines among invented speakers. espeak's voices are hard to understand."""
FAILURES_SHOWN = 5


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--text", "texts", multiple=True, required=True, type=FILE, help="One sentence per line."
)
@click.option("--without", multiple=True, type=FILE, help="Sentences to exclude.")
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--speakers-json", type=FILE, help="List of speakers. Default: invented speakers.")
@click.option("--speakers", type=click.IntRange(1), default=100, show_default=True, help="Invent.")
@click.option("--language", type=click.Choice(list(ACCENTS)), default="en", show_default=True)
@click.option("--per-speaker", type=click.IntRange(1), help="Sentences. Default: each one once.")
@click.option(
    "--minutes", type=click.FloatRange(0, min_open=True), help="Stop after this much audio."
)
@click.option("--min-words", default=4, show_default=True)
@click.option("--max-words", default=18, show_default=True)
@click.option("--format", "suffix", type=click.Choice(list(SUBTYPES)), default="flac")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(
    texts: tuple[Path, ...],
    without: tuple[Path, ...],
    output: Path,
    speakers_json: Path | None,
    speakers: int,
    language: str,
    per_speaker: int | None,
    minutes: float | None,
    min_words: int,
    max_words: int,
    suffix: Format,
    workers: int,
    seed: int,
) -> None:
    """Synthesize the sentences of --text with invented speakers, into --output."""
    try:
        who = (
            read_speakers(speakers_json)
            if speakers_json
            else invent(speakers, seed=seed, language=language, shares=SHARES)
        )
        sentences = choose_sentences(texts, without, words=(min_words, max_words), seed=seed)
        count = per_speaker * len(who) if per_speaker else len(sentences)
        if minutes and not per_speaker:
            count = int(minutes * 60)  # a sentence lasts longer than a second
        limit = minutes * 60 if minutes else float("inf")
        plan = Plan(who, sentences, suffix, count, limit)
        corpus = Corpus(output, plan)
        with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
            report = Report(count, corpus)
            speak = Engines.of(who, Path(folder))
            fill(corpus, plan, speak, workers=workers, on_made=report)
            report.end()
    except VallEError as exc:
        hint = f"\nHint: {exc.hint}" if exc.hint else ""
        raise click.ClickException(exc.message + hint) from exc


def choose_sentences(
    texts: Iterable[Path], without: Iterable[Path], *, words: tuple[int, int], seed: int
) -> list[str]:
    """Distinct sentences with this many words, shuffled, without those in `without`."""
    left_out = {_plain(line) for path in without for line in _lines(path)}
    lines = dict.fromkeys(line for path in texts for line in _lines(path))
    shortest, longest = words
    chosen = [line for line in lines if shortest <= len(line.split()) <= longest]
    chosen = [line for line in chosen if _plain(line) not in left_out]
    if not chosen:
        raise DataError(
            f"no sentence has {shortest} to {longest} words",
            hint="check --text, --min-words and --max-words",
        )
    random.Random(seed + 1).shuffle(chosen)
    return chosen


def _lines(path: Path) -> list[str]:
    lines = (" ".join(line.split()) for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def _plain(line: str) -> str:
    """Without case and punctuation."""
    return "".join(letter for letter in line.lower() if letter.isalnum())


class Report:
    """Reports progress on stderr."""

    def __init__(self, total: int, corpus: Corpus) -> None:
        self.corpus = corpus
        self.failures = 0
        self.bar = click.progressbar(
            length=total, file=sys.stderr, label="sentences", hidden=not sys.stderr.isatty()
        )
        self.bar.update(len(corpus.done))

    def __call__(self, made: Made) -> None:
        self.bar.update(1)
        if made.failure:
            self.failures += 1
            if self.failures <= FAILURES_SHOWN:
                click.echo(f"left out: {made.failure}", err=True)

    def end(self) -> None:
        self.bar.render_finish()
        hours = self.corpus.seconds / 3600
        left_out = f", {self.failures} sentences left out" if self.failures else ""
        click.echo(f"{self.corpus.table}: {hours:.2f} h{left_out}")


if __name__ == "__main__":
    main()
