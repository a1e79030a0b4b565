"""`vall-e data stats`: statistics of a folder, as text, JSON or a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from vall_e.cli.app import App
from vall_e.cli.data.options import (
    AS_JSON,
    FOLDER,
    MODEL,
    TRANSCRIPTS,
    survey_at,
    vocabulary_of,
)

if TYPE_CHECKING:
    from collections import Counter

    from vall_e.data.inspect.stats import GroupStats, Survey
    from vall_e.data.inspect.symbol_coverage import Coverage

WIDTH = 40
"""Length of the longest bar, in characters."""
FEW = 20
"""Lines of each list; `--all` and `--json` show the rest."""


@click.command()
@FOLDER
@TRANSCRIPTS
@MODEL
@click.option("--all", "everything", is_flag=True, help=f"Show more than {FEW} lines of each list.")
@click.option(
    "--page", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Write a self-contained HTML page.",
)  # fmt: skip
@AS_JSON
@click.pass_obj
def stats(
    app: App,
    source: Path,
    transcripts: Path | None,
    model: Path | None,
    everything: bool,
    page: Path | None,
    as_json: bool,
) -> None:
    """Show lengths, speakers, languages and symbols of a dataset, or of a folder of recordings."""
    from vall_e.data.inspect.stats_page import write_page
    from vall_e.data.inspect.symbol_coverage import coverage

    found = survey_at(app, source, transcripts)
    known = coverage(found, vocabulary_of(model)) if model else None
    if page:
        write_page(found, page, title=source.resolve().name, coverage=known)
    if as_json:
        click.echo(json.dumps(_facts(found, known), ensure_ascii=False, indent=2))
        return
    for line in _report(found, known, None if everything else FEW):
        click.echo(line)


def _facts(found: Survey, known: Coverage | None) -> dict[str, Any]:
    return {
        "utterances": len(found.items),
        "seconds": round(sum(found.seconds), 3),
        "lengths": [
            {"from": low, "to": high, "utterances": count} for low, high, count in found.histogram()
        ],
        "speakers": [attrs.asdict(group) for group in found.speakers],
        "languages": [attrs.asdict(group) for group in found.languages],
        "symbols": dict(found.symbols.most_common()),
        "unknown": None if known is None else dict(known.unknown.most_common()),
        "unseen": None if known is None else list(known.unseen),
        "outliers": {one.item.id: one.reason for one in found.outliers()},
        "problems": {item.id: item.problem for item in found.items if item.problem},
    }


def _report(found: Survey, known: Coverage | None, most: int | None) -> list[str]:
    total = sum(found.seconds)
    middle = ", ".join(f"{share:.0%} {found.quantile(share):.1f}" for share in (0.05, 0.5, 0.95))
    lines = [f"{len(found.items)} utterances, {total / 3600:.2f} h; seconds: {middle}"]
    lines += ["", "seconds", *_bars([(f"{a:g} to {b:g}", n, "") for a, b, n in found.histogram()])]
    lines += ["", f"speakers: {len(found.speakers)}", *_cut(_group_bars(found.speakers), most)]
    lines += ["", "languages", *_cut(_group_bars(found.languages), most)]
    symbols = found.symbols
    lines += ["", f"symbols: {len(symbols)}", *_cut(_symbol_bars(symbols), most)]
    lines += _listed("rare symbols", [f"{s!r} x {n}" for s, n in found.rare.most_common()], most)
    if known is not None:
        named = [f"{symbol!r} x {n}" for symbol, n in known.unknown.most_common()]
        lines += _listed("symbols missing from the model", named or ["none"], most)
        unseen = [repr(symbol) for symbol in known.unseen]
        title = f"symbols of the model that do not occur here ({known.share:.0%} occur)"
        lines += _listed(title, unseen, most)
    unusual = [f"{one.item.id}: {one.reason}" for one in found.outliers()]
    title = "unusual for their length (`data process --drop-unusual` leaves them out)"
    lines += _listed(title, unusual, most)
    bad = [f"{item.id}: {item.problem}" for item in found.items if item.problem]
    return lines + _listed("cannot be used", bad, most)


def _group_bars(groups: Sequence[GroupStats]) -> list[str]:
    return _bars([(one.name, one.utterances, f"{one.seconds / 60:.1f} min") for one in groups])


def _symbol_bars(symbols: Counter[str]) -> list[str]:
    return _bars([(repr(symbol), count, "") for symbol, count in symbols.most_common()])


def _bars(rows: Sequence[tuple[str, int, str]]) -> list[str]:
    """One line each: a label, a bar as long as the number, the number, and a note."""
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
