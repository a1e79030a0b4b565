"""Curves as an image, a web page, or characters on a terminal. Torch-free."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from vall_e.atomic_write import atomic_path
from vall_e.errors import TrainingError, UnavailableError
from vall_e.training.history.read import Curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IMAGES = (".png", ".svg", ".pdf")
PAGE = ".html"
LINES = ("-", "--", ":", "-.")
"""A style for each metric; colours are for runs."""

Log = Literal["none", "x", "y", "both"]


def save_plot(curves: Sequence[Curve], path: Path, *, axis: str, log: Log = "none") -> None:
    """Write an image or a web page, by the file's suffix, completely or not at all.

    Raises `TrainingError` for another suffix, `UnavailableError` without matplotlib.
    """
    suffix = path.suffix.lower()
    if suffix not in (*IMAGES, PAGE):
        raise TrainingError(
            f"{path}: plots are written as {', '.join(IMAGES)} or {PAGE}, not {suffix or 'that'}",
            hint="give the file one of these suffixes",
        )
    figure = _figure(curves, axis, log)
    with atomic_path(path, error=TrainingError) as part, part.open("wb") as file:
        if suffix == PAGE:
            file.write(_page(figure, curves).encode())
        else:
            figure.savefig(file, format=suffix[1:], dpi=120)


def plotted_text(
    curves: Sequence[Curve], *, axis: str, log: Log = "none", width: int = 100, height: int = 25
) -> str:
    """The same for a terminal of this size. `UnavailableError` without plotext."""
    try:
        import plotext
    except ImportError as exc:
        raise _missing("plotext", "or write a file: -o plot.png") from exc
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(width, height)
    plotext.xscale("log" if log in ("x", "both") else "linear")
    plotext.yscale("log" if log in ("y", "both") else "linear")
    for curve in curves:
        kept = _drawable(curve, log)
        plotext.plot(curve.x[kept].tolist(), curve.y[kept].tolist(), label=_label(curve, curves))
    plotext.xlabel(axis)
    return str(plotext.uncolorize(plotext.build()))


def _drawable(curve: Curve, log: Log) -> np.ndarray:
    """Which points have a place on these axes: a logarithmic one has none for 0 and less."""
    kept: np.ndarray = np.isfinite(curve.x) & np.isfinite(curve.y)
    kept &= curve.x > 0 if log in ("x", "both") else curve.x >= 0
    return kept & (curve.y > 0) if log in ("y", "both") else kept


def _figure(curves: Sequence[Curve], axis: str, log: Log) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as exc:
        raise _missing("matplotlib", "or leave out -o, for a plot on the terminal") from exc
    runs = list(dict.fromkeys(curve.run for curve in curves))
    names = list(dict.fromkeys(curve.name for curve in curves))
    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots()
    for curve in curves:
        axes.plot(
            curve.x,
            curve.y,
            color=f"C{runs.index(curve.run) % 10}" if len(runs) > 1 else None,
            linestyle=LINES[names.index(curve.name) % len(LINES)] if len(runs) > 1 else "-",
            label=_label(curve, curves),
            marker="o" if len(curve.x) < 2 else None,
        )
    axes.set_xlabel(axis)
    axes.set_xscale("log" if log in ("x", "both") else "linear")
    axes.set_yscale("log" if log in ("y", "both") else "linear")
    if len(names) == 1:
        axes.set_ylabel(names[0])
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def _label(curve: Curve, curves: Sequence[Curve]) -> str:
    """What tells it from the others."""
    several = len({each.run for each in curves}) > 1
    return f"{curve.run}: {curve.name}" if several else curve.name


def _page(figure: Figure, curves: Sequence[Curve]) -> str:
    """A page that loads nothing: the plot as SVG, and the latest values as a table."""
    svg = io.StringIO()
    figure.savefig(svg, format="svg")
    drawing = svg.getvalue()
    title = ", ".join(dict.fromkeys(curve.run for curve in curves))
    rows = "".join(
        f"<tr><td>{html.escape(curve.run)}</td><td>{html.escape(curve.name)}</td>"
        f"<td>{curve.y[-1]:.4g}</td></tr>"
        for curve in curves
        if len(curve.y)
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title>"
        "<style>body{font:16px sans-serif;max-width:1100px;margin:2em auto;padding:0 1em}"
        "svg{width:100%;height:auto}td,th{padding:.2em 1em .2em 0;text-align:left}</style>"
        f"<h1>{html.escape(title)}</h1>{drawing[drawing.index('<svg') :]}"
        f"<table><tr><th>run</th><th>metric</th><th>latest</th></tr>{rows}</table></html>\n"
    )


def _missing(package: str, otherwise: str) -> UnavailableError:
    return UnavailableError(
        f"plots need the package {package}, which is not installed",
        hint=f"pip install {package}, {otherwise}",
    )
