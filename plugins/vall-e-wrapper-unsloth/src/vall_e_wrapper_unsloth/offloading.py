"""Layers that are recomputed in the backward pass, from inputs kept in CPU memory.

Recomputation is by Chen et al. 2016, https://arxiv.org/abs/1604.06174; keeping the inputs in CPU
memory is the idea of https://unsloth.ai/blog/long-context.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from vall_e.plugin import ConfigError


def offloaded(model: nn.Module, *, layers: str, every: int) -> nn.Module:
    """Wrap each `every`-th of the backbone's layers, in place."""
    stack = getattr(getattr(model, "backbone", model), layers, None)
    if not isinstance(stack, nn.ModuleList):
        raise ConfigError(
            f"unsloth: the backbone has no list of layers called {layers!r}",
            hint="set `layers` to its name, or use another wrapper",
        )
    for index in range(0, len(stack), every):
        stack[index] = Recomputed(stack[index])
    return model


class Recomputed(nn.Module):
    """A layer under the names of its parts. It returns a tensor, or a tuple of tensors."""

    layer: nn.Module

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        object.__setattr__(self, "layer", layer)  # not a submodule, so no name in the state dict
        # The same dicts, so that a change in one is a change in both.
        self._modules, self._parameters = layer._modules, layer._parameters
        self._buffers = layer._buffers
        self._non_persistent_buffers_set = layer._non_persistent_buffers_set

    def train(self, mode: bool = True) -> "Recomputed":
        super().train(mode)
        self.layer.train(mode)
        return self

    def forward(self, x: Tensor, *rest: Any, **named: Any) -> Any:
        if not (self.training and torch.is_grad_enabled()):
            return self.layer(x, *rest, **named)
        if any(tensor.requires_grad for tensor in _tensors((rest, *named.values()))):
            raise ConfigError(
                "unsloth: a layer of this backbone needs gradients of more than its first input",
                hint="remove the wrapper, or set the backbone's own `checkpointing`",
            )
        # autograd calls this only if an input requires a gradient.
        x = x if x.requires_grad else x.detach().requires_grad_()
        return _Again.apply(partial(self.layer, **named), rest, x)  # type: ignore[no-untyped-call]


class _Again(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, layer: Callable[..., Any], rest: tuple[Any, ...], x: Tensor) -> Any:
        ctx.layer, ctx.rest, ctx.device = layer, rest, x.device
        ctx.surroundings = Surroundings(x.device)
        ctx.waiting = x.detach().cpu()
        return layer(x, *rest)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[None, None, Tensor | None]:
        x = ctx.waiting.to(ctx.device).detach().requires_grad_()
        with ctx.surroundings(), torch.enable_grad():
            out = ctx.layer(x, *ctx.rest)
        outs = out if isinstance(out, tuple) else (out,)
        pairs = [
            (o, g)
            for o, g in zip(outs, gradients, strict=True)
            if g is not None and o.requires_grad
        ]
        torch.autograd.backward([o for o, _ in pairs], [g for _, g in pairs])
        return None, None, x.grad


class Surroundings:
    """The random state and autocast settings of a pass, to repeat it exactly."""

    def __init__(self, device: torch.device) -> None:
        self.kind = device.type
        self.devices = [device] if device.type == "cuda" else []
        self.states = [torch.get_rng_state(), *map(torch.cuda.get_rng_state, self.devices)]
        self.autocast = torch.is_autocast_enabled(self.kind)
        self.dtype = torch.get_autocast_dtype(self.kind)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with torch.random.fork_rng(devices=self.devices):
            torch.set_rng_state(self.states[0])
            for device, state in zip(self.devices, self.states[1:], strict=True):
                torch.cuda.set_rng_state(state, device)
            with torch.autocast(self.kind, dtype=self.dtype, enabled=self.autocast):
                yield


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _tensors(part)
