"""Checkpoints: a folder each, which appears whole or not at all. No pickle.

runs/valle/latest                       name of the newest checkpoint folder
runs/valle/step-000500/
weights.safetensors                 the complete model, as `vall-e synth -m` reads it
training.safetensors                tensors of optimizer and engine
training.json                       step, counts, position in the data, learning rate
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from attrs import field, frozen
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from vall_e.errors import CheckpointError, TrainingError
from vall_e.weights.file import Bundle, save
from vall_e.weights.locate import LATEST, WEIGHTS, checkpoints
from vall_e.weights.sharded import divided, whole

FORMAT = 1
TENSORS = "training.safetensors"
FACTS = "training.json"


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
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        tensors = load_file(folder / TENSORS)
    except (OSError, ValueError, SafetensorError) as exc:
        raise CheckpointError(
            f"{folder} cannot be resumed from: {exc}", hint="name an older checkpoint in `latest`"
        ) from exc
    if facts.get("format") != FORMAT:
        raise CheckpointError(
            f"{folder} has checkpoint format {facts.get('format')}, this version reads {FORMAT}",
            hint="resume with the version of vall-e that wrote it",
        )
    return TrainingState(facts, tensors)


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


def pack_optimizer(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """An optimizer's state as tensors by name and plain values."""
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    values: dict[str, Any] = {"groups": state["param_groups"], "state": {}}
    for index, slots in state["state"].items():
        found, plain = _apart(slots)
        # A copy, since safetensors does not write two tensors that share memory.
        for name, tensor in found.items():
            copy = whole(tensor.detach()).to("cpu", copy=True)
            tensors[f"optimizer/{index}/{name}"] = copy.contiguous()
        if plain:
            values["state"][str(index)] = plain
    try:
        json.dumps(values)
    except TypeError as exc:
        raise TrainingError(
            f"the state of {type(optimizer).__name__} cannot be saved: {exc}",
            hint="its state_dict may only hold tensors, numbers, strings and lists of them",
        ) from exc
    return tensors, values


def unpack_optimizer(
    optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], values: dict[str, Any]
) -> None:
    """Restore what `pack_optimizer` saved; `CheckpointError` if it is another optimizer's."""
    state: dict[int, dict[str, Any]] = {int(i): dict(slots) for i, slots in values["state"].items()}
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for key, tensor in tensors.items():
        kind, _, rest = key.partition("/")
        if kind == "optimizer":
            index, *path, name = rest.split("/")
            slots = state.setdefault(int(index), {})
            for part in path:
                slots = slots.setdefault(part, {})
            slots[name] = divided(tensor, like=weights[int(index)])
    try:
        optimizer.load_state_dict({"state": state, "param_groups": values["groups"]})
    except (ValueError, KeyError) as exc:
        raise CheckpointError(
            f"the checkpoint's optimizer state does not fit: {exc}",
            hint="resume with the optimizer and the model that the checkpoint was made with",
        ) from exc


def _apart(slots: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors by path (a slot may itself be a dict), and the plain values unchanged."""
    tensors: dict[str, Tensor] = {}
    plain: dict[str, Any] = {}
    for name, value in slots.items():
        if isinstance(value, Tensor):
            tensors[name] = value
        elif isinstance(value, dict):
            inner, plain[name] = _apart(value)
            tensors |= {f"{name}/{key}": tensor for key, tensor in inner.items()}
        else:
            plain[name] = value
    return tensors, plain


def group_options(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    """The options of each group of parameters."""
    return [
        {name: value for name, value in group.items() if name != "params"}
        for group in optimizer.param_groups
    ]


def take_changed_options(
    optimizer: torch.optim.Optimizer,
    *,
    before: Sequence[dict[str, Any]],
    now: Sequence[dict[str, Any]],
) -> None:
    """Set the options that differ between two configs; those that the optimizer adapts stay."""
    for group, old, new in zip(optimizer.param_groups, before, now, strict=True):
        for name, value in new.items():
            if _plain(old.get(name)) != _plain(value):
                group[name] = value


def _plain(value: Any) -> Any:
    """The value as JSON returns it, which has no tuples."""
    return list(value) if isinstance(value, tuple) else value


def _by_hand(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / FACTS).read_text(encoding="utf-8"))["by_hand"])
    except (OSError, ValueError, KeyError):
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
