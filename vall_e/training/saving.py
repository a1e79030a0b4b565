"""Saving a run, and restoring it. The first rank writes; a sharded model is collected by all."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import attrs

from vall_e.data.batching.batch_sampler import Position
from vall_e.training.checkpoint import (
    TrainingState,
    folder_of,
    pack_optimizer,
    prune,
    take_changed_options,
    unpack_optimizer,
    write_checkpoint,
)
from vall_e.training.inference_weights import inference_weights, restore_training_weights
from vall_e.training.run import Run, RunProgress, finished
from vall_e.weights.file import save, tensors_of
from vall_e.weights.locate import checkpoints
from vall_e.weights.sharded import whole

LEARNT = "learnt/"
"""Prefix of tensors that are not those of the weights file."""

log = logging.getLogger(__name__)


def save_checkpoint(run: Run, *, by_hand: bool = False) -> Path:
    """Write the state of the run, and delete old checkpoints beyond `keep`.

    The first rank writes. Where each has a part of the model, all must call this.
    """
    step = run.progress.step
    if run.engine.rank and not run.engine.sharded:
        return folder_of(run.folder, step)
    tensors, optimizer = pack_optimizer(run.optimizer)
    engine = {f"engine/{name}": value.cpu() for name, value in run.engine.state_dict().items()}
    facts: dict[str, Any] = {
        "progress": attrs.asdict(run.progress),
        "position": attrs.asdict(run.loader.position),
        "data": run.marks.batches,
        "corpus": run.marks.corpus,
        "rate": run.rate.factor,
        "optimizer": optimizer,
        "options": run.options,
    }
    with inference_weights(run.bundle.model, run.optimizer) as learnt:
        weights = {f"{LEARNT}{name}": whole(tensor).cpu() for name, tensor in learnt.items()}
        state = TrainingState(facts, {**tensors, **engine, **weights})
        if run.engine.rank:
            tensors_of(run.bundle.model)  # its part of what the first rank writes
            return folder_of(run.folder, step)
        folder = write_checkpoint(run.folder, step, finished(run), state, by_hand=by_hand)
    prune(run.folder, run.config.keep, spare=folder)
    return folder


def save_weights(run: Run, path: Path) -> None:
    """Write the weights file of the moment, on the first rank."""
    with inference_weights(run.bundle.model, run.optimizer):
        if not run.engine.rank:
            save(finished(run), path)
        elif run.engine.sharded:
            tensors_of(run.bundle.model)


def restore(run: Run, state: TrainingState) -> None:
    """Restore everything except the weights to what `save_checkpoint` saved."""
    facts = state.facts
    unpack_optimizer(run.optimizer, state.tensors, facts["optimizer"])
    before = facts.get("options", run.options)
    take_changed_options(run.optimizer, before=before, now=run.options)
    engine = {
        key.removeprefix("engine/"): value
        for key, value in state.tensors.items()
        if key.startswith("engine/")
    }
    run.engine.load_state_dict(engine)
    learnt = {k.removeprefix(LEARNT): v for k, v in state.tensors.items() if k.startswith(LEARNT)}
    restore_training_weights(run.bundle.model, learnt)
    run.rate.factor = facts["rate"]
    for field in attrs.fields(RunProgress):
        if field.name in facts["progress"]:  # an older version may lack some
            setattr(run.progress, field.name, facts["progress"][field.name])
    position = Position(**facts["position"])
    if facts["data"] != run.marks.batches:
        what = (
            "batches are formed differently than before"
            if facts.get("corpus") == run.marks.corpus
            else "the data has changed since the checkpoint"
        )
        log.warning("%s: a new epoch starts", what)
        position = Position(position.epoch + 1, 0)
    run.loader.position = position


def is_saved(run: Run) -> bool:
    """Whether the run's latest step has a checkpoint."""
    return folder_of(run.folder, run.progress.step) in checkpoints(run.folder)
