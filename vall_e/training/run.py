"""A run of training: its parts, how far it has come, and the callbacks of whoever started it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import torch
from attrs import define, frozen
from torch import nn

from vall_e.config.training import TrainingConfig
from vall_e.data.batching.loader import Loader
from vall_e.interfaces.training import Engine
from vall_e.training.learning_rate import Rate
from vall_e.training.metrics import Metrics
from vall_e.training.optimizer_state import group_options
from vall_e.training.samples import SampleSpeaker
from vall_e.training.validation import ValidationBatch
from vall_e.weights.file import Bundle


@define
class RunProgress:
    """How far a run has come, including before it was resumed. `tokens` are sequence positions."""

    step: int = 0
    samples: int = 0
    tokens: int = 0
    seconds: float = 0.0
    """Time spent in training steps."""
    oom: int = 0
    """Batches that did not fit into memory, and were split or skipped."""
    validation: dict[str, float] = attrs.field(factory=dict)
    """Results of the last validation."""
    best: dict[str, Any] = attrs.field(factory=dict)
    """The fields of `BestSoFar`; empty before the first validation."""


@frozen
class Marks:
    """Identify a corpus, and a batch order: a saved position is valid only for the same ones."""

    corpus: str
    batches: str


@frozen(eq=False)
class Run:
    """Everything that a training step needs. `objective` is the model as the engine wrapped it."""

    folder: Path
    config: TrainingConfig
    bundle: Bundle
    objective: nn.Module
    engine: Engine
    optimizer: torch.optim.Optimizer
    rate: Rate
    loader: Loader
    validation: Mapping[str, Sequence[ValidationBatch]]
    marks: Marks
    samples: SampleSpeaker | None = None
    """Speaks with each validation, on the first rank."""
    progress: RunProgress = attrs.field(factory=RunProgress)
    options: Sequence[dict[str, Any]] = attrs.field(
        default=attrs.Factory(lambda self: group_options(self.optimizer), takes_self=True)
    )
    """The options of the optimizer's parameter groups, from the config."""


@frozen
class RunCallbacks:
    """Callbacks of a run."""

    on_step: Callable[[Metrics], None] = lambda metrics: None
    on_validation: Callable[[Metrics], None] = lambda metrics: None
    on_file: Callable[[Path], None] = lambda path: None


def finished(run: Run) -> Bundle:
    """The bundle with the statistics of its training so far."""
    statistics = {
        "steps": run.progress.step,
        "samples": run.progress.samples,
        "tokens": run.progress.tokens,
        "seconds": round(run.progress.seconds, 1),
        **run.progress.validation,
    }
    return attrs.evolve(run.bundle, statistics=statistics)
