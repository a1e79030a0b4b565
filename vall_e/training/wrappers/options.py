"""Options of the wrappers besides compile and lora. No torch here."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen, validators


@frozen
class RoundedConfig:
    enabled: bool = True
    """False leaves the model unchanged."""
    group: int = field(default=64, validator=validators.gt(0))
    """Weights of a row that share a scale: smaller groups are more exact and take more memory."""
    include: tuple[str, ...] = field(default=("*",), validator=validators.min_len(1))
    """Patterns of linear layers of the backbone, like `layers.*.mlp.*`."""


@frozen
class BitsAndBytesConfig:
    linear: bool = True
    """Run the backbone's linear layers in 8 bits."""
    embedding: bool = True
    """Keep a 32-bit optimizer state for embeddings, with 8-bit optimizers."""


@frozen
class Fp8Config:
    enabled: bool = True
    """False leaves the model unchanged."""
    by: Literal["torchao", "transformer-engine"] = "torchao"
    """The package that provides fp8; NVIDIA's needs a GPU of compute capability 8.9."""


@frozen
class TensorRtConfig:
    enabled: bool = True
    """False leaves the model unchanged."""
    dynamic: bool = True
    """One compiled program for all lengths; otherwise one for each length."""


def _one_fewer(instance: ModelOffloadConfig, attribute: Any, value: tuple[float, ...]) -> None:
    if value and (len(value) != len(instance.devices) - 1 or min(value) < 0):
        raise ValueError("must have one number of 0 or more for each device except the last")


def _one_each(
    instance: ModelOffloadConfig, attribute: Any, value: tuple[tuple[str, ...], ...]
) -> None:
    if value and (len(value) != len(instance.devices) or instance.limits):
        raise ValueError("must have one list per device, and cannot be combined with `limits`")
    if not value and not instance.limits and len(instance.devices) > 1:
        raise ValueError("use `limits` or `assign` to distribute the layers")


@frozen
class ModelOffloadConfig:
    devices: tuple[str, ...] = field(default=("cpu",), validator=validators.min_len(1))
    """Devices for the backbone's layers, for example [cuda:0, cuda:1]."""
    limits: tuple[float, ...] = field(default=(), validator=_one_fewer)
    """Limit of each device except the last: up to 1 a share of all layers, above that bytes."""
    assign: tuple[tuple[str, ...], ...] = field(default=(), validator=_one_each)
    """Instead of limits: patterns of layers per device, as in [["layers.[0-5]"], ["*"]]."""
