"""Judge speech without a person: was the text said, in the right voice, how clean is it.

    python judge.py speech spoken/list.tsv --sentences harvard.txt
    python judge.py codec decoded/list.tsv

Prints a JSON object for every row and a summary last. Deterministic, without network; install
requirements.txt first. The README says how to read the figures.
"""

from __future__ import annotations

import csv
import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import jiwer
import numpy as np
from hearing import AMONG, SAMPLE_RATE, Listener, choose, known, plain, read
from likeness import Speakers, signal_figures

PATHS = ("path", "reference", "original")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Row = dict[str, str]
Figures = dict[str, Any]


@click.group(help=__doc__.partition("\n")[0] if __doc__ else "")
def main() -> None:
    """The two judges."""
    warnings.simplefilter("ignore")  # of the libraries about one another


@main.command()
@click.argument("table", metavar="LIST", type=FILE)
@click.option("--sentences", type=FILE, help="More sentences to choose among, one a line.")
def speech(table: Path, sentences: Path | None) -> None:
    """Judge what was spoken. LIST: path, text, and if it likes reference, speaker.

    `reference` is a recording of the voice that is meant.
    """
    rows = read_rows(table)
    candidates = {plain(row["text"]) for row in rows}
    if sentences:
        candidates |= {plain(line) for line in sentences.read_text("utf-8").splitlines()}
    judge = SpeechJudge(sentence for sentence in candidates if known(sentence))
    judged = []
    for row in rows:
        judged.append(judge(row))
        _say(judged[-1])
    _say(judge.summary(rows, judged))


@main.command()
@click.argument("table", metavar="LIST", type=FILE)
def codec(table: Path) -> None:
    """Judge what a codec decoded. LIST: path (decoded), original."""
    speakers, judged = Speakers(), []
    for row in read_rows(table):
        decoded, original = Path(row["path"]), Path(row["original"])
        figures = signal_figures(read(original), read(decoded))
        figures["similarity"] = round(speakers.similarity(decoded, original), 3)
        judged.append(figures)
        _say({"path": decoded.name, **figures})
    means = {name: _mean(figures[name] for figures in judged) for name in judged[0]}
    _say({"n": len(judged), **means})


class SpeechJudge:
    """Hears recordings, and compares their voices with those that were meant.

    open: with the recogniser's language model, whose own floor on clean speech is high;
    closed: with one made of the candidates; forced: the sentence wins among 50 candidates.
    """

    def __init__(self, candidates: Iterable[str]) -> None:
        self.candidates = set(candidates)
        self._open = Listener.open()
        self._closed = Listener.closed(self.candidates)
        self._speakers = Speakers()

    def __call__(self, row: Row) -> Figures:
        samples, text = read(Path(row["path"])), plain(row["text"])
        seconds = len(samples) / SAMPLE_RATE
        figures: Figures = {
            "path": Path(row["path"]).name,
            "text": text,
            "seconds": round(seconds, 2),
            "words_per_second": round(len(text.split()) / max(seconds, 0.1), 2),
            "open": self._open.hear(samples),
        }
        if text in self.candidates:
            figures["closed"] = self._closed.hear(samples)
            figures["forced"] = choose(samples, text, self.candidates) == text
        if row.get("reference"):
            figures |= self._likeness(row)
        return figures

    def summary(self, rows: list[Row], judged: list[Figures]) -> Figures:
        found: Figures = {"n": len(judged), "candidates": len(self.candidates)}
        if len(self.candidates) < AMONG:
            found["warning"] = f"fewer than {AMONG} candidate sentences: give --sentences"
        found["open_wer"] = _word_errors(judged, "open")
        in_set = [figures for figures in judged if "closed" in figures]
        if in_set:
            found["closed_wer"] = _word_errors(in_set, "closed")
            found["forced_choice"] = _mean(figures["forced"] for figures in in_set)
        pairs = [(r, f) for r, f in zip(rows, judged, strict=True) if "similarity" in f]
        if pairs:
            found["similarity"] = _mean(figures["similarity"] for _, figures in pairs)
            found |= self._own_speaker_first(pairs)
        return found

    def _likeness(self, row: Row) -> Figures:
        speaker = row.get("speaker") or row["reference"]
        try:
            value = self._speakers.similarity(Path(row["path"]), Path(row["reference"]))
        except (ValueError, IndexError, RuntimeError, ZeroDivisionError) as exc:
            return {"similarity": 0.0, "why": str(exc), "speaker": speaker}  # silence, too short
        return {"similarity": round(value, 3), "speaker": speaker}

    def _own_speaker_first(self, pairs: list[tuple[Row, Figures]]) -> Figures:
        """How many are nearer to their own reference than to every other speaker's."""
        references = {figures["speaker"]: Path(row["reference"]) for row, figures in pairs}
        if len(references) < 2:
            return {}
        first = []
        for row, figures in pairs:
            near = {
                name: self._speakers.similarity(Path(row["path"]), path)
                for name, path in references.items()
                if figures["similarity"]
            }
            first.append(bool(near) and max(near, key=near.__getitem__) == figures["speaker"])
        return {"own_speaker_first": _mean(first)}


def read_rows(table: Path) -> list[Row]:
    """The rows, with paths that count from the folder of the table."""
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or not all(row.get("path") for row in rows):
        raise click.ClickException(f"{table} has no rows, or rows without a path")
    for row in rows:
        row |= {name: str(table.parent / row[name]) for name in PATHS if row.get(name)}
    return rows


def _word_errors(judged: list[Figures], heard: str) -> float:
    texts = [figures["text"] for figures in judged]
    return round(float(jiwer.wer(texts, [figures[heard] for figures in judged])), 3)


def _mean(values: Iterable[float]) -> float:
    return round(float(np.mean(list(values))), 3)


def _say(figures: Figures) -> None:
    click.echo(json.dumps(figures))


if __name__ == "__main__":
    main()
