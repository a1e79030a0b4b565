"""A report as one HTML page with players. It loads nothing except the clips beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from urllib.parse import quote

from vall_e.atomic_write import write_atomically
from vall_e.errors import DataError
from vall_e.evaluation.judge_panel import Judged
from vall_e.evaluation.report import EvalReport, relative
from vall_e.evaluation.statistics import Summary
from vall_e.interfaces.judge import Figure

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #8884; text-align: left;
  vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
small, .i { opacity: .7; }
small.f { display: block; overflow-wrap: anywhere; }
audio { height: 2rem; width: 14rem; display: block; }
.clips td:first-child { min-width: 20rem; max-width: 24rem; }
.clips th, .clips td.n { font-size: .85rem; padding: .25rem .4rem; }
code { overflow-wrap: anywhere; }
"""
HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style></head><body>
<h1>{title}</h1>
"""


def write_page(report: EvalReport, path: Path) -> None:
    """The file appears whole or not at all; clips are linked relative to its folder."""
    write_atomically(path, page(report, path.parent).encode(), error=DataError)


def page(report: EvalReport, folder: Path) -> str:
    figures = _with_values(report)
    parts = [
        HEAD.format(style=STYLE, title=escape(report.title)),
        *(f"<p><strong>Note:</strong> {escape(remark)}</p>" for remark in report.remarks),
        "<h2>Figures</h2>",
        "<p>In brackets: the 95 % confidence interval over texts.</p>",
        _summary_table(report, figures),
        _left_out(report),
        "<h2>Clips, worst first</h2>",
        _clip_table(report, figures, folder),
        "<h2>Inputs</h2>",
        _facts({name: ", ".join(facts.values()) for name, facts in report.inputs.items()}),
        _facts({"seed": str(report.seed), **report.versions, **report.weights}),
        _facts({name: str(value) for name, value in report.run.items()}),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _with_values(report: EvalReport) -> dict[str, Figure]:
    """The figures that at least one group has."""
    return {
        name: figure
        for name, figure in report.figures.items()
        if any(found[name].value is not None for _, found in report.columns)
    }


def _summary_table(report: EvalReport, figures: Mapping[str, Figure]) -> str:
    head = ["figure", "meaning", "better", *(label for label, _ in report.columns)]
    rows = [
        [
            _cell(f"<code>{escape(name)}</code>"),
            _cell(escape(figure.meaning)),
            _cell(escape(figure.better)),
            *(_cell(_summary(found[name]), number=True) for _, found in report.columns),
        ]
        for name, figure in figures.items()
    ]
    return _table(head, rows)


def _summary(summary: Summary) -> str:
    if summary.value is None:
        return f"<small>{escape(summary.reason)}</small>"
    interval = summary.interval
    around = f" <span class=i>[{interval[0]:.3f}, {interval[1]:.3f}]</span>" if interval else ""
    lacking = f", {summary.left_out} left out: {escape(summary.reason)}" * (summary.left_out > 0)
    return f"{summary.value:.3f}{around}<br><small>{summary.clips} clips{lacking}</small>"


def _left_out(report: EvalReport) -> str:
    """Judges that are unavailable or failed, and figures that no clip has."""
    missing_figures = {**report.unavailable, **report.failures}
    shown = _with_values(report)
    for name in report.figures:
        if name not in shown:
            missing_figures[name] = report.columns[0][1][name].reason
    return f"<h3>Not judged</h3>{_facts(missing_figures)}" if missing_figures else ""


def _clip_table(report: EvalReport, figures: Mapping[str, Figure], folder: Path) -> str:
    head = ["clip", *figures]
    rows = [_clip(judged, figures, folder) for judged in report.worst_first()]
    return _table(head, rows, name="clips")


def _clip(judged: Judged, figures: Mapping[str, Figure], folder: Path) -> list[str]:
    item = judged.item
    players = [_player(item.path, folder, item.path.name)]
    players += [_player(item.reference, folder, "reference recording")] if item.reference else []
    players += [_player(item.original, folder, "original")] if item.original else []
    notes = "".join(f"<br><small>{escape(k)}: {escape(v)}</small>" for k, v in judged.notes.items())
    group = f"<strong>{escape(item.group)}</strong> " if item.group else ""
    cells = [_cell("".join([group, escape(item.text), notes, *players]))]
    for name in figures:
        score = judged.scores[name]
        value = "–" if score.value is None else f"{score.value:.3f}"  # noqa: RUF001
        title = f' title="{escape(score.reason)}"' if score.reason else ""
        cells.append(f"<td class=n{title}>{value}</td>")
    return cells


def _player(path: Path, folder: Path, label: str) -> str:
    source = quote(relative(path, folder))
    return (
        f"<small class=f>{escape(label)}</small>"
        f'<audio controls preload="none" src="{escape(source)}"></audio>'
    )


def _facts(facts: Mapping[str, str]) -> str:
    return _table(
        (), [[_cell(escape(name)), _cell(f"<code>{escape(v)}</code>")] for name, v in facts.items()]
    )


def _cell(content: str, *, number: bool = False) -> str:
    return f"<td class=n>{content}</td>" if number else f"<td>{content}</td>"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]], *, name: str = "") -> str:
    top = "".join(f"<th>{escape(one).replace('_', '_<wbr>')}</th>" for one in head)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    start = f"<table class={name}>" if name else "<table>"
    return f"{start}{f'<tr>{top}</tr>' if top else ''}\n{body}\n</table>"
