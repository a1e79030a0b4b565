"""How many texts of a list each normalizer reads as readers do: `python -m` this, with the list.

A line of the list is a class, a text, and its accepted readings with `|` between; tabs in between.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
from attrs import frozen

from vall_e.config.choices import NormalizerChoice, PhonemizerChoice
from vall_e.config.schema import TextConfig
from vall_e.discovery import discover
from vall_e.errors import DataError, VallEError
from vall_e.registry import Registry
from vall_e.text.front_end import FrontEnd

_NO_WORD = re.compile("[,.\\-\N{EN DASH}\N{EM DASH}]")


@frozen
class ListedText:
    """A text, and what may be said for it."""

    kind: str
    written: str
    accepted: tuple[str, ...]


def read_cases(path: Path) -> list[ListedText]:
    """Raises `DataError` for a line without three columns."""
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) != 3:
            raise DataError(
                f"{path}, line {number}: {len(columns)} columns instead of 3",
                hint="write class, text and readings with tabs in between",
            )
        cases.append(ListedText(columns[0], columns[1], tuple(columns[2].split("|"))))
    return cases


def words_of(text: str) -> list[str]:
    """Its words in small letters; marks, hyphens and "and" do not count."""
    words = _NO_WORD.sub(" ", text).lower().split()
    return [word for word in words if word != "and"]


def right(case: ListedText, spoken: str) -> bool:
    return words_of(spoken) in [words_of(reading) for reading in case.accepted]


def front_end_with(name: str, registry: Registry) -> FrontEnd:
    """One whose phonemes are the normalized text itself."""
    normalizer = registry.get("normalizer", name)
    letters = registry.get("phonemizer", "none")
    return FrontEnd.of(
        TextConfig(
            PhonemizerChoice(letters, letters.config()),
            NormalizerChoice(normalizer, normalizer.config()),
        )
    )


def table(results: Mapping[str, Sequence[bool]], cases: Sequence[ListedText]) -> Iterator[str]:
    """Lines of Markdown: texts read right by class, a column for each normalizer."""
    yield "| class | texts | " + " | ".join(f"`{name}`" for name in results) + " |"
    yield "|---|---|" + "---|" * len(results)
    kinds = dict.fromkeys(case.kind for case in cases)
    for kind in [*kinds, "all"]:
        places = [i for i, case in enumerate(cases) if kind in (case.kind, "all")]
        counts = [str(sum(found[i] for i in places)) for found in results.values()]
        yield f"| {kind} | {len(places)} | " + " | ".join(counts) + " |"


def run(path: Path, names: Sequence[str], language: str, *, wrong: bool) -> Iterator[str]:
    """The table, and with `wrong` what each normalizer said otherwise."""
    registry, cases = discover(), read_cases(path)
    results: dict[str, list[bool]] = {}
    missed: list[str] = []
    for name in names:
        front_end = front_end_with(name, registry)
        results[name] = []
        for case in cases:
            try:
                spoken = front_end.phonemes(case.written, language)
            except VallEError as exc:
                spoken = f"({exc.message})"
            results[name].append(right(case, spoken))
            if not results[name][-1]:
                missed.append(f"{name}: {case.written} -> {spoken}")
    yield from table(results, cases)
    if wrong:
        yield from missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=Path)
    parser.add_argument("--normalizer", action="append", required=True)
    parser.add_argument("--language", default="en-us")
    parser.add_argument("--wrong", action="store_true", help="Show what was read otherwise.")
    args = parser.parse_args()
    for line in run(args.list, args.normalizer, args.language, wrong=args.wrong):
        click.echo(line)


if __name__ == "__main__":
    main()
