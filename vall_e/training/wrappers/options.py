"""Options of the built-in wrappers. No torch here."""

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


def _for_linear_layers(instance: LoraConfig, attribute: Any, value: tuple[int, ...]) -> None:
    """Only linear layers of the backbone know which row is which."""
    if value and (instance.embeddings or instance.flavour == "parametrized"):
        raise ValueError("cannot be combined with `embeddings` or the flavour `parametrized`")
    if value and (min(value) < 0 or len(set(value)) < len(value)):
        raise ValueError(f"must list distinct levels, 0 or higher: {list(value)}")


@frozen
class LoraConfig:
    rank: int = field(default=8, validator=validators.gt(0))
    """Rank of the two small matrices; the file grows in proportion."""
    alpha: float = field(default=16.0, validator=validators.gt(0))
    """Strength: the product of the matrices is scaled by alpha / rank."""
    dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Dropout on the input of the small matrices, during training."""
    flavour: Literal["replaced", "parametrized"] = "replaced"
    """`replaced`: W x + B (A x), with less memory. `parametrized`: (W + B A) x, which also works
    for layers that are not called in the usual way. Both write the same file."""
    include: tuple[str, ...] = ()
    """Patterns of backbone layers to adapt, like `backbone.*.self_attn.*`. Empty: those that the
    backbone recommends, else all its linear layers."""
    exclude: tuple[str, ...] = ()
    """Patterns of layers to leave out."""
    embeddings: bool = False
    """Also adapt embeddings and output layers."""
    levels: tuple[int, ...] = field(default=(), validator=_for_linear_layers)
    """The RVQ levels for which it is active, in training and inference; empty: all."""


@frozen
class CompileConfig:
    enabled: bool = True
    """False leaves the model unchanged."""
    dynamic: bool = True
    """One compiled program for all lengths; otherwise one for each length."""
