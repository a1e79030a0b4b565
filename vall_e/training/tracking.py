"""Reports a run to its trackers. One that fails is left out; the training continues."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from attrs import define, frozen

from vall_e.config.choices import TrackerChoice
from vall_e.interfaces.tracker import TrackedRun, Tracker

COUNTS = ("step", "samples", "tokens", "seconds", "epoch")
"""Of a line of metrics, what only counts."""

log = logging.getLogger(__name__)


@frozen(eq=False)
class _Tracked:
    name: str
    tracker: Tracker
    every: int


@define(eq=False)
class Tracking:
    """The trackers of a run."""

    trackers: list[_Tracked]

    @classmethod
    def of(cls, choices: Iterable[TrackerChoice], run: TrackedRun) -> Tracking:
        """Raises `UnavailableError` for a tracker whose package is not installed."""
        return cls(
            [
                _Tracked(choice.name, choice.build(run=run), getattr(choice.options, "every", 1))
                for choice in choices
            ]
        )

    def log(self, line: Mapping[str, float]) -> None:
        """A line of metrics; values that are not finite are left out."""
        step = int(line["step"])
        values = {
            name: float(value)
            for name, value in line.items()
            if name not in COUNTS and math.isfinite(value)
        }
        training = "loss" in line
        self._on_all(
            lambda one: (
                one.tracker.log(step, values) if not training or step % one.every == 0 else None
            )
        )

    def log_audio(self, step: int, clips: Sequence[tuple[str, Path]]) -> None:
        """Clips by name."""
        for name, path in clips:
            self._on_all(partial(_log_audio, step=step, name=name, path=path))

    def close(self) -> None:
        self._on_all(lambda one: one.tracker.close())

    def _on_all(self, action: Callable[[_Tracked], None]) -> None:
        for one in list(self.trackers):
            try:
                action(one)
            except Exception as exc:  # noqa: BLE001 - a service that fails must not end a training
                log.warning("the tracker %s is left out from now on: %s", one.name, exc)
                self.trackers.remove(one)


def _log_audio(one: _Tracked, *, step: int, name: str, path: Path) -> None:
    one.tracker.log_audio(step, name, path)
