"""Statistics of a folder, as a self-contained HTML page with plots. Torch-free."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from vall_e.atomic_write import write_atomically
from vall_e.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from vall_e.data.inspect.stats import GroupStats, Survey
    from vall_e.data.inspect.symbol_coverage import Coverage

SHOWN = 60
"""Maximum bars of a plot; the rest is summarized in one sentence."""
LISTED = 500
"""Maximum rows of a table."""
STYLE = """
:root { color-scheme: light dark; --bar: #3a6ea5; --rare: #c0632f; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
svg { display: block; width: 100%; height: auto; margin: .5rem 0; }
rect { fill: var(--bar); } rect.rare { fill: var(--rare); }
text { font: 12px system-ui, sans-serif; fill: currentColor; }
table { border-collapse: collapse; }
th, td { padding: .2rem .7rem .2rem 0; border-bottom: 1px solid #8884; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
"""
HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style></head><body>
<h1>{title}</h1>
"""
WIDE, HIGH, ROW, LABEL = 800, 240, 20, 170
"""Sizes of plots, in pixels: width, height, a horizontal bar with the gap below it, its label."""

Bar = tuple[str, float, str]
"""Name, length and label of a bar."""


def write_page(found: Survey, path: Path, *, title: str, coverage: Coverage | None) -> None:
    """The file is written completely or not at all. Raises `DataError` if it cannot be written."""
    write_atomically(path, page(found, title=title, coverage=coverage).encode(), error=DataError)


def page(found: Survey, *, title: str, coverage: Coverage | None) -> str:
    """Lengths, speakers, languages, symbols; unknown and rare symbols, outliers and problems."""
    parts = [
        HEAD.format(title=escape(title), style=STYLE),
        _sums(found),
        "<h2>Lengths</h2>",
        _columns([(f"{a:g}–{b:g} s", n, str(n)) for a, b, n in found.histogram()]),  # noqa: RUF001
        f"<h2>Speakers: {len(found.speakers)}</h2>",
        _rows(_groups(found.speakers)),
        f"<h2>Languages: {len(found.languages)}</h2>",
        _rows(_groups(found.languages)),
        _symbols(found),
        _coverage(coverage),
        _outliers(found),
        _problems(found),
        "</body></html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _sums(found: Survey) -> str:
    hours = sum(found.seconds) / 3600
    shares = ", ".join(f"{s:.0%}: {found.quantile(s):.2f} s" for s in (0.05, 0.25, 0.5, 0.75, 0.95))
    return (
        f"<p>{len(found.items)} utterances, {hours:.2f} hours. "
        f"Shares that are shorter: {shares}.</p>"
    )


def _groups(groups: Iterable[GroupStats]) -> list[Bar]:
    return [
        (one.name, one.seconds, f"{one.seconds / 60:.1f} min, {one.utterances}") for one in groups
    ]


def _symbols(found: Survey) -> str:
    counts = found.symbols
    bars = [(_named(symbol), float(n), str(n)) for symbol, n in counts.most_common()]
    rare = {_named(symbol) for symbol in found.rare}
    told = f"<p>{len(rare)} of them are rare, fewer than 10 each.</p>" if rare else ""
    return f"<h2>Symbols: {len(counts)}</h2>{told}{_rows(bars, marked=rare, most=4 * SHOWN)}"


def _coverage(found: Coverage | None) -> str:
    if found is None:
        return ""
    unknown = [(_named(symbol), str(count)) for symbol, count in found.unknown.most_common()]
    unseen = ", ".join(escape(_named(symbol)) for symbol in found.unseen)
    known = f"{found.share:.0%} of the {found.symbols} symbols that the model knows occur here."
    return "\n".join(
        [
            "<h2>Symbols and the model</h2>",
            f"<p>{known}</p>",
            f"<p>These do not occur: {unseen}.</p>" if unseen else "",
            _table("The model lacks", ("symbol", "times"), unknown),
        ]
    )


def _outliers(found: Survey) -> str:
    rows = [
        (one.item.id, f"{one.item.seconds:.2f}", one.item.text, one.reason)
        for one in found.outliers()
    ]
    return _table("Unusual for their length", ("utterance", "seconds", "text", "why"), rows)


def _problems(found: Survey) -> str:
    rows = [(item.id, item.problem) for item in found.items if item.problem]
    return _table("Cannot be used", ("recording", "why"), rows)


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Empty if there are no rows."""
    if not rows:
        return ""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows[:LISTED]]
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    more = f"<p>And {len(rows) - LISTED} more.</p>" if len(rows) > LISTED else ""
    return f"<h2>{escape(title)}: {len(rows)}</h2><table><tr>{top}</tr>\n{body}\n</table>{more}"


def _named(symbol: str) -> str:
    """A letter itself; a character that is invisible on its own by its Unicode name."""
    visible = unicodedata.category(symbol[0])[0] in "LNPS" if symbol else False
    return symbol if visible else unicodedata.name(symbol, repr(symbol)).lower()


def _columns(bars: Sequence[Bar]) -> str:
    """Vertical bars, side by side."""
    if not bars:
        return "<p>No lengths are known.</p>"
    step = WIDE / len(bars)
    most = max(size for _, size, _ in bars) or 1
    drawn = []
    for place, (name, size, told) in enumerate(bars):
        height, x = (HIGH - 60) * size / most, place * step
        y = HIGH - 40 - height
        drawn.append(_rect(x + 2, y, step - 4, height, f"{name}: {told}"))
        drawn.append(_text(x + step / 2, y - 4, told, "middle"))
        drawn.append(_text(x + step / 2, HIGH - 40 + 14 * (1 + place % 2), name, "middle"))
    return _svg(HIGH, drawn)


def _rows(bars: Sequence[Bar], *, marked: Iterable[str] = (), most: int = SHOWN) -> str:
    """Horizontal bars; marked ones have another color."""
    shown, rare = bars[:most], set(marked)
    longest = max((size for _, size, _ in shown), default=0) or 1
    drawn = []
    for place, (name, size, told) in enumerate(shown):
        width, y = (WIDE - 2 * LABEL) * size / longest, place * ROW
        drawn.append(_text(LABEL - 8, y + 14, _short(name), "end", name))
        drawn.append(_rect(LABEL, y + 2, width, ROW - 4, f"{name}: {told}", rare=name in rare))
        drawn.append(_text(LABEL + width + 6, y + 14, told, "start"))
    more = f"<p>And {len(bars) - most} more.</p>" if len(bars) > most else ""
    return _svg(ROW * len(shown), drawn) + more


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:11]}…{name[-11:]}"


def _svg(height: float, drawn: Iterable[str]) -> str:
    return f'<svg viewBox="0 0 {WIDE} {height:g}" role="img">\n' + "\n".join(drawn) + "\n</svg>"


def _rect(x: float, y: float, width: float, height: float, title: str, rare: bool = False) -> str:
    kind = ' class="rare"' * rare
    return (
        f'<rect{kind} x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height:.1f}">'
        f"<title>{escape(title)}</title></rect>"
    )


def _text(x: float, y: float, content: str, anchor: str, title: str = "") -> str:
    whole = f"<title>{escape(title)}</title>" if title else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}{whole}</text>'
