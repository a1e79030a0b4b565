"""Options of the built-in optimizers, schedules, engines and wrappers. No torch here."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen, validators


@frozen
class AdamWConfig:
    lr: float = field(default=1e-3, validator=validators.gt(0))
    """Learning rate, multiplied by the schedule's factor."""
    beta1: float = field(default=0.9, validator=[validators.ge(0), validators.lt(1)])
    """Decay rate of the first moment (beta1)."""
    beta2: float = field(default=0.98, validator=[validators.ge(0), validators.lt(1)])
    """Decay rate of the second moment (beta2)."""
    eps: float = field(default=1e-8, validator=validators.gt(0))
    weight_decay: float = field(default=0.01, validator=validators.ge(0))
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""


@frozen
class SgdConfig:
    lr: float = field(default=0.1, validator=validators.gt(0))
    """Learning rate, multiplied by the schedule's factor."""
    momentum: float = field(default=0.9, validator=[validators.ge(0), validators.lt(1)])
    weight_decay: float = field(default=0.0, validator=validators.ge(0))
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""


@frozen
class ConstantConfig:
    """No options: the factor is always 1."""


@frozen
class WarmupConfig:
    warmup_steps: int = field(default=300, validator=validators.ge(0))
    """Steps over which the factor rises linearly to 1; it then stays there."""


@frozen
class CosineConfig:
    warmup_steps: int = field(default=300, validator=validators.ge(0))
    """Steps over which the factor rises linearly to 1."""
    final: float = field(default=0.05, validator=[validators.ge(0), validators.le(1)])
    """Factor at the last step, at the end of the cosine."""


@frozen
class LocalEngineConfig:
    """No options: device and precision are `training.device` and `training.precision`."""


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
