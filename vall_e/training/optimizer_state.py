"""The state of an optimizer as tensors by name and plain values, to be saved without pickle."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vall_e.errors import CheckpointError, TrainingError
from vall_e.weights.sharded import divided, whole


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
            weight = weights[int(index)]
            _require_shape(tensor, weight, key)
            slots[name] = divided(tensor, like=weight)
    try:
        for group, own in zip(values["groups"], optimizer.param_groups, strict=True):
            for name in group.keys() & own.keys():
                require_kind(name, group[name], own[name])
        optimizer.load_state_dict({"state": state, "param_groups": values["groups"]})
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise CheckpointError(
            f"the checkpoint's optimizer state does not fit: {exc}",
            hint="resume with the optimizer and the model that the checkpoint was made with",
        ) from exc


def require_kind(name: str, value: Any, usual: Any) -> Any:
    """The value, read from a checkpoint; `CheckpointError` if the usual one is another kind."""
    if not _same_kind(value, usual):
        raise CheckpointError(
            f"the checkpoint's {name} is {value!r}", hint="name an older checkpoint in `latest`"
        )
    return value


def _same_kind(value: Any, usual: Any) -> bool:
    if isinstance(usual, (int, float)) and not isinstance(usual, bool):
        return isinstance(value, (int, float)) and math.isfinite(value) >= math.isfinite(usual)
    if isinstance(usual, (list, tuple)) and isinstance(value, (list, tuple)):
        return all(map(_same_kind, value, usual))
    return not isinstance(usual, (list, tuple, dict)) or isinstance(value, dict)


def _require_shape(tensor: Tensor, weight: Tensor, name: str) -> None:
    """Raise `CheckpointError` for the numbers of a weight in another shape: the file is damaged.

    Some optimizers keep fewer numbers, or all in one row.
    """
    if tensor.ndim > 1 and tensor.numel() == weight.numel() and tensor.shape != weight.shape:
        raise CheckpointError(
            f"the checkpoint's {name} is {tuple(tensor.shape)}, its weight {tuple(weight.shape)}",
            hint="name an older checkpoint in `latest`",
        )


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
