"""Training from Python: what `vall-e train` does, without a terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from vall_e.discovery import discover
from vall_e.registry import Registry
from vall_e.training import loop
from vall_e.training.commands import Commands
from vall_e.training.metrics import Metrics
from vall_e.training.run import RunCallbacks
from vall_e.training.run_lock import held_by_this_run
from vall_e.training.setup import open_run
from vall_e.weights.locate import find_weights
from vall_e.weights.speaking_options import load_run


@frozen
class TrainedRun:
    """A run that has ended. `vall_e.load(run.weights)` speaks with it."""

    folder: Path
    weights: Path
    """The weights of its latest checkpoint."""
    step: int
    validation: Mapping[str, float]
    """The last validation's losses and accuracies by name; empty if there was none."""


def train(
    config: Path | str,
    *,
    overrides: Sequence[str] = (),
    resume: bool = False,
    on_step: Callable[[Metrics], None] = lambda _: None,
    on_validation: Callable[[Metrics], None] = lambda _: None,
    registry: Registry | None = None,
) -> TrainedRun:
    """Train as a YAML file says, until `training.max_steps`; gives the run.

    `overrides` replace options, as in `["training.max_steps=500", "training.start_from=embedded"]`.
    `resume` continues from the run's latest checkpoint. `on_step` and `on_validation` get metrics
    by name; an exception that they raise ends the run, and its checkpoint is saved.

    Raises `ConfigError` for the file, `DataError` for its datasets, `TrainingError` where training
    cannot go on or another process trains in the same folder.
    """
    registry = registry or discover()
    found = load_run(Path(config), registry, overrides=overrides).config
    folder = Path(found.training.output)
    with held_by_this_run(folder, os.environ):
        run = open_run(found, folder, resume=resume, registry=registry)
        callbacks = RunCallbacks(on_step=on_step, on_validation=on_validation)
        loop.train(run, Commands(), callbacks)
    progress = run.progress
    return TrainedRun(folder, find_weights(folder), progress.step, dict(progress.validation))
