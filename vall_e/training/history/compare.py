"""Runs side by side: the options that differ, and the figures. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vall_e.training.history.read import History

LATEST = 100
"""Steps over which the training loss is averaged."""
PRIVATE = ("training.output",)
"""Options that always differ."""


def differing_options(runs: Sequence[History]) -> list[list[str]]:
    """A row for each option that is not the same in all runs: its name and their values."""
    options = [run.options() for run in runs]
    names = dict.fromkeys(name for found in options for name in found if name not in PRIVATE)
    rows = [[name, *(_shown(found.get(name)) for found in options)] for name in names]
    return [row for row in rows if len(set(row[1:])) > 1]


def figures(runs: Sequence[History]) -> list[list[str]]:
    """A row for each figure: its name, and its value in each run; `-` where there is none."""
    rows = [
        ["steps", *(_count(run.last("step")) for run in runs)],
        ["tokens", *(_count(run.last("tokens")) for run in runs)],
        ["hours of training", *(_hours(run.last("seconds")) for run in runs)],
        ["tokens/s", *(_count(run.last("tokens_per_second")) for run in runs)],
        [f"loss, latest {LATEST} steps", *(latest_loss(run) for run in runs)],
    ]
    validated = dict.fromkeys(
        name for run in runs for name in run.names() if name.startswith("validation.")
    )
    rows += [[f"best {name}", *(best(run, name) for run in runs)] for name in validated]
    return rows


def latest_loss(run: History) -> str:
    """The mean over the latest steps, with its 95 % interval as if steps were independent."""
    values = run.curve("loss").y[-LATEST:]
    if len(values) < 2:
        return f"{values[0]:.3f}" if len(values) else "-"
    margin = 1.96 * float(np.std(values, ddof=1)) / float(np.sqrt(len(values)))
    return f"{np.mean(values):.3f} ± {margin:.3f}"


def best(run: History, name: str) -> str:
    """The best value of a validation, and its step: the lowest, of an accuracy the highest."""
    curve = run.curve(name)
    if not len(curve.y):
        return "-"
    at = int(np.argmax(curve.y) if name.endswith("accuracy") else np.argmin(curve.y))
    return f"{curve.y[at]:.3f} (step {curve.x[at]:.0f})"


def _shown(value: object) -> str:
    return "-" if value is None else str(value)


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _hours(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds / 3600:.2f}"
