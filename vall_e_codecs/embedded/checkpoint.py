"""Everything needed to resume a training run, in one safetensors file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from vall_e.plugin import CheckpointError, damage_as


def save(
    path: Path,
    *,
    modules: Mapping[str, torch.nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
    progress: Mapping[str, Any],
) -> None:
    """Write all of it, whole or not at all. `progress` must be representable in JSON."""
    tensors: dict[str, torch.Tensor] = {}
    for name, module in modules.items():
        tensors |= {f"{name}.{key}": value for key, value in module.state_dict().items()}
    for name, optimizer in optimizers.items():
        for i, state in optimizer.state_dict()["state"].items():
            tensors |= {f"{name}.{i}.{key}": value for key, value in state.items()}
    part = path.with_name(path.name + ".part")
    save_file(
        {key: value.detach().cpu().contiguous() for key, value in tensors.items()},
        part,
        metadata={"progress": json.dumps(dict(progress))},
    )
    os.replace(part, path)


def load(
    path: Path,
    *,
    modules: Mapping[str, torch.nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
) -> dict[str, Any]:
    """Load modules and optimizers of the same shapes; returns `progress`."""
    with damage_as(
        CheckpointError,
        path,
        what="cannot be resumed from",
        hint="resume with the sizes of that run, or start a new run in another folder",
    ):
        with safe_open(path, framework="pt") as file:
            progress: dict[str, Any] = json.loads((file.metadata() or {})["progress"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        for name, module in modules.items():
            module.load_state_dict(_under(name, tensors))
        for name, optimizer in optimizers.items():
            state: dict[int, dict[str, torch.Tensor]] = {}
            for key, value in _under(name, tensors).items():
                i, entry = key.split(".", 1)
                state.setdefault(int(i), {})[entry] = value
            optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    return progress


def _under(name: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    start = f"{name}."
    return {key.removeprefix(start): t for key, t in tensors.items() if key.startswith(start)}
