"""The metrics of a run: one JSON object a line in `metrics.jsonl`."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from vall_e.damaged_files import parse_json

METRICS = "metrics.jsonl"

Metrics = dict[str, float | int]


WeightedSums = dict[str, tuple[float, float]]
"""The sum of the weighted values of each metric, and the sum of their weights."""


def window_sums(batches: Sequence[Mapping[str, float]], shares: Sequence[float]) -> WeightedSums:
    """The metrics of the batches of a step, in a form that can be added over all ranks.

    The metrics of a stage are means over `tokens.STAGE` tokens; a batch may lack the stage. Other
    metrics are weighted by `shares`, one per batch.
    """
    return added(
        {
            name: (value * weight, weight)
            for name, value in batch.items()
            if not name.startswith("tokens.")
            for weight in [batch[f"tokens.{name.partition('.')[2]}"] if "." in name else share]
        }
        for batch, share in zip(batches, shares, strict=True)
    )


def added(parts: Iterable[WeightedSums]) -> WeightedSums:
    """The sums of each metric over all parts that have it."""
    total: WeightedSums = {}
    for part in parts:
        for name, (value, weight) in part.items():
            before = total.get(name, (0.0, 0.0))
            total[name] = (before[0] + value, before[1] + weight)
    return total


def means_of(sums: WeightedSums) -> dict[str, float]:
    """Each metric as that of one batch with all samples."""
    return {name: value / weight for name, (value, weight) in sums.items()}


class MetricsFile:
    """Appends lines. Lines of steps after `step`, left by a run that was killed, are removed."""

    def __init__(self, folder: Path, *, step: int) -> None:
        path = folder / METRICS
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            part = path.with_name(path.name + ".part")
            with path.open("rb") as lines:
                kept = [line for line in lines if _step_of(line) <= step]
            part.write_bytes(b"".join(kept))
            os.replace(part, path)
        self._file = path.open("a", encoding="utf-8")

    def write(self, metrics: Metrics) -> None:
        """Values that are not finite (gradient norms that overflow in fp16) become null in JSON."""
        line = {name: value if math.isfinite(value) else None for name, value in metrics.items()}
        self._file.write(json.dumps(line, allow_nan=False) + "\n")
        self._file.flush()

    def __enter__(self) -> MetricsFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


def _step_of(line: bytes) -> float:
    try:
        return float(parse_json(line)["step"])
    except (ValueError, KeyError, TypeError, OverflowError):
        return float("inf")  # an incomplete line, from a run that was killed while writing it
