"""What training asks of an experiment tracker. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from attrs import field, frozen


@frozen
class TrackedRun:
    """The run that a tracker reports."""

    folder: Path
    """Its output; a tracker may keep files there."""
    step: int = 0
    """Where it continues: values of later steps, of a part that was lost, are to be replaced."""
    config: Mapping[str, Any] = field(factory=dict)
    """Its configuration as plain data."""

    @property
    def name(self) -> str:
        return self.folder.name


@runtime_checkable
class Tracker(Protocol):
    """Reports a run to people: a dashboard, a service, a file.

    A resumed run continues the same record. Errors do not end the training: the tracker is left
    out from then on, with a warning.
    """

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Metrics of a step, by name. Steps grow; a validation has the step it was made after."""
        ...

    def log_audio(self, step: int, name: str, path: Path) -> None:
        """A clip (wav) that the model has spoken."""
        ...

    def close(self) -> None:
        """The run has ended; everything is to be written."""
        ...
