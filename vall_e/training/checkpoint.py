"""Checkpoints: a folder each, which appears whole or not at all. No pickle.

runs/valle/latest                       name of the newest checkpoint folder
runs/valle/step-000500/
weights.safetensors                 the complete model, as `vall-e synth -m` reads it
training.safetensors                tensors of optimizer and engine
training.json                       step, counts, position in the data, learning rate
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen
from safetensors.torch import load_file, save_file
from torch import Tensor

from vall_e.damaged_files import damage_as, parse_json
from vall_e.data.batching.batch_sampler import Position
from vall_e.errors import CheckpointError
from vall_e.training.best import BestSoFar
from vall_e.training.inference_weights import inference_weights, restore_training_weights
from vall_e.training.optimizer_state import (
    pack_optimizer,
    require_kind,
    take_changed_options,
    unpack_optimizer,
)
from vall_e.training.run import Run, RunProgress, finished
from vall_e.weights.file import Bundle, save, tensors_of
from vall_e.weights.locate import LATEST, WEIGHTS, checkpoints
from vall_e.weights.sharded import whole

FORMAT = 1
TENSORS = "training.safetensors"
FACTS = "training.json"
LEARNT = "learnt/"
"""Prefix of tensors that are not those of the weights file."""

log = logging.getLogger(__name__)


@frozen(eq=False)
class TrainingState:
    """What resuming needs besides the weights: plain values, and tensors by name."""

    facts: dict[str, Any]
    tensors: dict[str, Tensor] = field(repr=False)


def write_checkpoint(
    run: Path, step: int, bundle: Bundle, state: TrainingState, *, by_hand: bool = False
) -> Path:
    """Write the folder and point `latest` to it. One saved `by_hand` (on request) is not pruned."""
    folder = folder_of(run, step)
    part = run / f"{folder.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    save(bundle, part / WEIGHTS)
    save_file(state.tensors, part / TENSORS)
    facts = {"format": FORMAT, "step": step, "by_hand": by_hand, **state.facts}
    (part / FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    for path in part.iterdir():
        _flush(path)
    _flush_names(part)
    shutil.rmtree(folder, ignore_errors=True)  # if this step is trained a second time
    os.replace(part, folder)
    pointer = run / f"{LATEST}.part"
    pointer.write_text(folder.name + "\n", encoding="utf-8")
    _flush(pointer)
    os.replace(pointer, run / LATEST)
    _flush_names(run)
    return folder


def folder_of(run: Path, step: int) -> Path:
    """Where the checkpoint of a step is."""
    return run / f"step-{step:06d}"


def read_state(folder: Path) -> TrainingState:
    with resuming_from(folder):
        facts = parse_json((folder / FACTS).read_bytes())
        tensors = load_file(folder / TENSORS)
        if not isinstance(facts, dict):
            raise ValueError(f"{FACTS} is not a JSON object")
    if facts.get("format") != FORMAT:
        raise CheckpointError(
            f"{folder} has checkpoint format {facts.get('format')}, this version reads {FORMAT}",
            hint="resume with the version of vall-e that wrote it",
        )
    return TrainingState(facts, tensors)


def resuming_from(folder: Path) -> AbstractContextManager[None]:
    """Whatever a damaged checkpoint raises becomes a `CheckpointError` that names it."""
    return damage_as(
        CheckpointError,
        folder,
        what="cannot be resumed from",
        hint="name an older checkpoint in `latest`",
    )


def prune(run: Path, keep: int, *, spare: Path) -> None:
    """Delete all but the newest `keep` checkpoints; those saved on request stay and do not count.

    `spare` was just written: after resuming from an older checkpoint it may not be the newest.
    """
    automatic = [f for f in checkpoints(run) if not _by_hand(f) and f != spare]
    keep -= 0 if _by_hand(spare) else 1
    for folder in automatic[: max(len(automatic) - keep, 0)]:
        gone = folder.with_name(folder.name + ".part")  # so that it disappears in one step
        shutil.rmtree(gone, ignore_errors=True)
        os.replace(folder, gone)
        shutil.rmtree(gone, ignore_errors=True)


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
    run.rate.factor = require_kind("rate", facts["rate"], run.rate.factor)
    for known in attrs.fields(RunProgress):
        if known.name in facts["progress"]:  # an older version may lack some
            value, usual = facts["progress"][known.name], getattr(run.progress, known.name)
            setattr(run.progress, known.name, require_kind(known.name, value, usual))
    best = attrs.asdict(BestSoFar(**run.progress.best))
    for name, usual in attrs.asdict(BestSoFar()).items():
        require_kind(f"best {name}", best[name], usual)
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


def _by_hand(folder: Path) -> bool:
    try:
        return bool(parse_json((folder / FACTS).read_bytes())["by_hand"])
    except (OSError, ValueError, KeyError, TypeError):
        return True  # not recognizably ours, so never delete it


def _flush(path: Path) -> None:
    """Flush to disk, so that the file is complete even if power fails after the rename."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _flush_names(folder: Path) -> None:
    """Flush the folder's entries, which the system writes separately from the files."""
    if os.name == "nt":  # cannot open folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
