"""The metrics of a run, read from its folder. Torch-free."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from vall_e.damaged_files import damage_as, parse_json
from vall_e.errors import TrainingError
from vall_e.training.metrics import METRICS
from vall_e.weights.locate import find_weights
from vall_e.weights.metadata import read_facts

AXES = ("step", "samples", "tokens", "seconds", "epoch")
"""What a metric can be plotted against."""
VALIDATION = "validation."
"""Begins the names of metrics that are averages over a whole dataset."""


@frozen
class Curve:
    """A metric of a run: its values, and where on the axis they are."""

    run: str
    name: str
    x: np.ndarray
    y: np.ndarray

    def smoothed(self, points: int) -> Curve:
        """Each value replaced by the mean of the latest `points` values; validations stay."""
        if points < 2 or not len(self.y) or self.name.startswith(VALIDATION):
            return self
        sums = np.cumsum(np.concatenate([[0.0], self.y]))
        ends = np.arange(1, len(self.y) + 1)
        starts = np.maximum(ends - points, 0)
        return Curve(self.run, self.name, self.x, (sums[ends] - sums[starts]) / (ends - starts))


@frozen(eq=False)
class History:
    """The lines of a run's `metrics.jsonl`, in order."""

    folder: Path
    lines: Sequence[Mapping[str, float | None]]

    @classmethod
    def of(cls, folder: Path) -> History:
        """Raise `TrainingError` if there is no run in this folder, or nothing of it yet."""
        path = folder / METRICS
        hint = "give the folder set in training.output"
        with (
            damage_as(TrainingError, folder, what="has no metrics of a run", hint=hint),
            path.open("rb") as file,
        ):
            lines = [found for line in file if (found := _parsed(line)) is not None]
        if not lines:
            raise TrainingError(f"{path} is empty", hint="wait until the run has made a step")
        return cls(folder, lines)

    @property
    def name(self) -> str:
        return self.folder.name

    def names(self) -> list[str]:
        """All metrics, in the order in which they first appear."""
        return list(dict.fromkeys(name for line in self.lines for name in line))

    def curve(self, name: str, axis: str = "step") -> Curve:
        """One metric over `axis`; empty if the run does not have it.

        A validation has no count of its own except its step; it gets those of that step.
        """
        counts: dict[str, float] = dict.fromkeys(AXES, 0.0)
        points: list[tuple[float, float]] = []
        for line in self.lines:
            counts |= {key: float(line[key] or 0) for key in AXES if line.get(key) is not None}
            value = line.get(name)
            if value is not None:
                points.append((counts[axis], float(value)))
        x, y = zip(*points, strict=True) if points else ((), ())
        return Curve(self.name, name, np.array(x, float), np.array(y, float))

    def last(self, name: str) -> float | None:
        """The latest value of a metric; None if there is none."""
        return next((v for line in reversed(self.lines) if (v := line.get(name)) is not None), None)

    def options(self) -> dict[str, Any]:
        """The config of its latest checkpoint, flat: `training.optimizer.lr` and so on."""
        config = read_facts(find_weights(self.folder))["config"]
        return dict(_flat(config, ""))


def runs_in(folder: Path) -> list[Path]:
    """The folders of runs in a folder, and in its subfolders, by name."""
    return sorted(path.parent for path in folder.rglob(METRICS))


def _parsed(line: bytes) -> dict[str, float | None] | None:
    """None for a line that is being written at this moment, or is damaged."""
    try:
        found = parse_json(line)
        numbers = {name: None if v is None else float(v) for name, v in found.items()}
    except (ValueError, TypeError, AttributeError, OverflowError):
        return None
    step = numbers.get("step")
    return numbers if step is not None and math.isfinite(step) else None


def _flat(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
