"""Weights, gradients and optimizer state divided among the processes (FSDP2).

https://docs.pytorch.org/docs/stable/distributed.fsdp.fully_shard.html

The whole model is one unit: its weights are collected for each pass, and each process keeps only
its part of them between steps, and of gradients and optimizer state always. A unit for each
layer would need every process to run each layer equally often, but a batch without samples of a
stage runs them once less.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from vall_e.errors import UnavailableError


class Sharded(nn.Module):
    """A model that every process uses completely, as FSDP2 requires.

    A batch may leave weights unused, for example those of a stage of which it has no sample. Their
    gradient is then zero rather than missing, and `used` says which ones the batch did use.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.used: set[str] = set()

    def forward(self, *args: object, **options: object) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = self.model(*args, **options)
        if torch.is_grad_enabled():
            weights = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
            reached = _leaves(losses["loss"])
            self.used |= {name for name, weight in weights.items() if id(weight) in reached}
            nothing = sum(weight.sum() * 0 for weight in weights.values())
            losses = {**losses, "loss": losses["loss"] + nothing}
        return losses


def shard(
    model: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device, world_size: int
) -> Sharded:
    """Divide the model's weights, and let the optimizer update each process's part.

    Raises `UnavailableError` for an optimizer that already has state.
    """
    if optimizer.state:
        raise UnavailableError(
            f"{type(optimizer).__name__} has state before the first step, which cannot be divided",
            hint="set training.engine.shard to none, or use the optimizer adamw",
        )
    names = {id(weight): name for name, weight in model.named_parameters()}
    sharded = Sharded(model)
    fully_shard(sharded, mesh=init_device_mesh(device.type, (world_size,)))
    parts = dict(model.named_parameters())
    for group in optimizer.param_groups:
        group["params"] = [parts[names[id(weight)]] for weight in group["params"]]
    return sharded


def drop_unused(sharded: Sharded, used: Iterable[set[str]]) -> None:
    """Remove the gradients of the weights that no process used, as they are in one process."""
    everywhere = set().union(*used)
    for name, weight in sharded.model.named_parameters():
        if name not in everywhere:
            weight.grad = None
    sharded.used = set()


def _leaves(loss: Tensor) -> set[int]:
    """The ids of the tensors whose gradient the loss gives."""
    found: set[int] = set()
    seen: set[object] = set()
    waiting = [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if variable is not None:
            found.add(id(variable))
        waiting.extend(parent for parent, _ in node.next_functions)
    return found
