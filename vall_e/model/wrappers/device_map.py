"""Layers on several devices: their inputs are moved to them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from vall_e.device import find_device
from vall_e.errors import ConfigError
from vall_e.interfaces.backbone import Cache


def placed(
    model: nn.Module,
    *,
    devices: Sequence[str],
    limits: Sequence[float],
    assign: Sequence[Sequence[str]],
) -> nn.Module:
    """Assign each layer of the backbone to a device, in place. The rest stays with the model.

    A layer moves when it first runs; its parameters stay the same objects.
    """
    body = getattr(model, "backbone", model)
    layers = getattr(body, "layers", None)
    if not isinstance(layers, nn.ModuleList):
        raise ConfigError(
            "model-offload: the backbone has no list of layers",
            hint="remove the wrapper, or use a backbone like llama",
        )
    names = [f"layers.{index}" for index in range(len(layers))]
    sizes = {name: _bytes(layer) for name, layer in zip(names, layers, strict=True)}
    places = [find_device(device, option="model-offload.devices") for device in devices]
    homes = by_name(names, assign) if assign else by_size(sizes, limits)
    for name, layer in zip(names, layers, strict=True):
        home = places[homes[name]]
        layer.register_forward_pre_hook(partial(_brought, home=home), with_kwargs=True)
    for name, child in body.named_children():
        if name != "layers":  # for example a last norm: where the model is
            child.register_forward_pre_hook(_brought_home, with_kwargs=True)
    return model


def by_size(sizes: dict[str, int], limits: Sequence[float]) -> dict[str, int]:
    """Fill devices one after another; returns each layer's device number. Names in order.

    A limit up to 1 is a share of all layers, above that it is bytes. The last device has none.
    """
    total, found, device, filled = sum(sizes.values()), {}, 0, 0
    room = [limit * total if limit <= 1 else limit for limit in limits]
    for name, size in sizes.items():
        while device < len(room) and filled + size > room[device]:
            device, filled = device + 1, 0
        found[name], filled = device, filled + size
    return found


def by_name(names: Sequence[str], assign: Sequence[Sequence[str]]) -> dict[str, int]:
    """The first device with a matching pattern; `ConfigError` for a layer without one."""
    found: dict[str, int] = {}
    for name in names:
        fitting = [
            device
            for device, patterns in enumerate(assign)
            if any(fnmatchcase(name, pattern) for pattern in patterns)
        ]
        if not fitting:
            raise ConfigError(
                f"model-offload.assign: no device matches the layer {name}",
                hint='give the last device the pattern "*"',
            )
        found[name] = fitting[0]
    return found


def _brought(
    layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], *, home: torch.device
) -> tuple[Any, dict[str, Any]]:
    if any(parameter.device != home for parameter in layer.parameters()):
        layer.to(home)
    return _moved(args, home), _moved(kwargs, home)


def _brought_home(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    own = next((parameter.device for parameter in module.parameters()), None)
    return (_moved(args, own), _moved(kwargs, own)) if own is not None else (args, kwargs)


def _moved(value: Any, device: torch.device) -> Any:
    """The tensors in it, moved to that device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple):
        return tuple(_moved(part, device) for part in value)
    if isinstance(value, dict):
        return {key: _moved(part, device) for key, part in value.items()}
    if isinstance(value, Cache) and value.lengths.device != device:
        raise ConfigError(
            "model-offload: a cache cannot be split between several devices",
            hint="use this wrapper for training only, and a single device for synthesis",
        )
    return value


def _bytes(layer: nn.Module) -> int:
    return sum(p.numel() * p.element_size() for p in layer.parameters())
