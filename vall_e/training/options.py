"""Options of the built-in optimizers, schedules, engines and wrappers. No torch here."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen, validators


@frozen
class AdamWConfig:
    lr: float = field(default=1e-3, validator=validators.gt(0))
    """Learning rate, before the schedule's factor."""
    beta1: float = field(default=0.9, validator=[validators.ge(0), validators.lt(1)])
    """Memory of the gradient's mean."""
    beta2: float = field(default=0.98, validator=[validators.ge(0), validators.lt(1)])
    """Memory of the gradient's square."""
    eps: float = field(default=1e-8, validator=validators.gt(0))
    weight_decay: float = field(default=0.01, validator=validators.ge(0))
    """Of matrices; vectors (norms, biases) are left alone."""


@frozen
class SgdConfig:
    lr: float = field(default=0.1, validator=validators.gt(0))
    """Learning rate, before the schedule's factor."""
    momentum: float = field(default=0.9, validator=[validators.ge(0), validators.lt(1)])
    weight_decay: float = field(default=0.0, validator=validators.ge(0))
    """Of matrices; vectors (norms, biases) are left alone."""


@frozen
class ConstantConfig:
    """No options: the factor is always 1."""


@frozen
class WarmupConfig:
    warmup_steps: int = field(default=300, validator=validators.ge(0))
    """Steps over which the factor rises linearly to 1, where it stays."""


@frozen
class CosineConfig:
    warmup_steps: int = field(default=300, validator=validators.ge(0))
    """Steps over which the factor rises linearly to 1."""
    final: float = field(default=0.05, validator=[validators.ge(0), validators.le(1)])
    """Factor at the last step, which a half cosine leads down to."""


@frozen
class LocalEngineConfig:
    """No options: device and precision are `training.device` and `training.precision`."""


def _for_linear_layers(instance: LoraConfig, attribute: Any, value: tuple[int, ...]) -> None:
    """Only a linear layer of the body sees which row is which."""
    if value and (instance.embeddings or instance.flavour == "parametrized"):
        raise ValueError("goes neither with `embeddings` nor with the flavour `parametrized`")
    if value and (min(value) < 0 or len(set(value)) < len(value)):
        raise ValueError(f"must list different levels from 0 on: {list(value)}")


@frozen
class LoraConfig:
    rank: int = field(default=8, validator=validators.gt(0))
    """Of the two small matrices; the file grows in proportion to it."""
    alpha: float = field(default=16.0, validator=validators.gt(0))
    """Strength: their product is scaled by alpha / rank."""
    dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Of what the small matrices read, while training."""
    flavour: Literal["replaced", "parametrized"] = "replaced"
    """`replaced`: W x + B (A x), with less memory. `parametrized`: (W + B A) x, which also goes
    with layers that are called in their own way. Both write the same file."""
    include: tuple[str, ...] = ()
    """Patterns of layers of the body, like `backbone.*.self_attn.*`. Empty: those that the backbone
    recommends, else all its linear layers."""
    exclude: tuple[str, ...] = ()
    """Patterns of layers that are left out."""
    embeddings: bool = False
    """Adapt embeddings and output layers too."""
    levels: tuple[int, ...] = field(default=(), validator=_for_linear_layers)
    """The RVQ levels for which it is active, while training and later; empty: all."""


@frozen
class CompileConfig:
    enabled: bool = True
    """False leaves the model as it is."""
    dynamic: bool = True
    """One program for all lengths; else one for each length that is met."""
