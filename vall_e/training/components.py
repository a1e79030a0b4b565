"""Optimizers, schedules, engines and wrappers that ship in the core. No torch here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen, validators

from vall_e.plugin import Component, Trial
from vall_e.training.optimizer_components import OTHER_OPTIMIZERS
from vall_e.training.schedule_components import OTHER_SCHEDULES
from vall_e.training.wrapper_components import OTHER_WRAPPERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch

    from vall_e.interfaces.training import Engine


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
class LocalConfig:
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


def build_adamw(
    config: AdamWConfig, *, parameters: Iterable[tuple[str, torch.nn.Parameter]]
) -> torch.optim.Optimizer:
    from vall_e.training.optimizers import adamw

    return adamw(config, parameters)


def build_sgd(
    config: SgdConfig, *, parameters: Iterable[tuple[str, torch.nn.Parameter]]
) -> torch.optim.Optimizer:
    from vall_e.training.optimizers import sgd

    return sgd(config, parameters)


def build_constant(config: ConstantConfig, *, max_steps: int) -> Callable[[int], float]:
    return lambda step: 1.0


def build_warmup(config: WarmupConfig, *, max_steps: int) -> Callable[[int], float]:
    from vall_e.training.schedules import warmup

    return lambda step: warmup(step, config.warmup_steps)


def build_cosine(config: CosineConfig, *, max_steps: int) -> Callable[[int], float]:
    from vall_e.training.schedules import cosine

    return lambda step: cosine(step, config.warmup_steps, max_steps, config.final)


def build_local(config: LocalConfig) -> Engine:
    from vall_e.training.engine import Local

    return Local()


def build_compile(config: CompileConfig) -> Callable[[torch.nn.Module], torch.nn.Module]:
    from vall_e.training.wrappers import compiled, unchanged

    return partial(compiled, dynamic=config.dynamic) if config.enabled else unchanged


def build_lora(config: LoraConfig) -> Callable[[torch.nn.Module], torch.nn.Module]:
    from vall_e.model.lora import Terms
    from vall_e.training.wrappers import adapted

    return partial(
        adapted,
        terms=Terms(config.rank, config.alpha, config.dropout, config.levels),
        flavour=config.flavour,
        include=config.include,
        exclude=config.exclude,
        embeddings=config.embeddings,
    )


OPTIMIZERS: tuple[Component[Any], ...] = (
    Component(
        name="adamw",
        config=AdamWConfig,
        build=build_adamw,
        summary="Adam with decoupled weight decay",
        paper="https://arxiv.org/abs/1711.05101",
    ),
    Component(
        name="sgd",
        config=SgdConfig,
        build=build_sgd,
        summary="stochastic gradient descent with momentum",
    ),
    *OTHER_OPTIMIZERS,
)
SCHEDULES: tuple[Component[Any], ...] = (
    Component(
        name="constant", config=ConstantConfig, build=build_constant, summary="the same rate always"
    ),
    Component(
        name="warmup",
        config=WarmupConfig,
        build=build_warmup,
        summary="a linear rise, then the same rate",
    ),
    Component(
        name="cosine",
        config=CosineConfig,
        build=build_cosine,
        summary="a linear rise, then a half cosine down to the last step",
        paper="https://arxiv.org/abs/1608.03983",
    ),
    *OTHER_SCHEDULES,
)
ENGINES = (
    Component(
        name="local", config=LocalConfig, build=build_local, summary="one process, one device"
    ),
)
WRAPPERS: tuple[Component[Any], ...] = (
    Component(
        name="compile",
        config=CompileConfig,
        build=build_compile,
        summary="torch.compile of the backbone; slow first steps, then faster ones",
        trial=Trial(facts={"tolerance": 1e-5}),
    ),
    Component(
        name="lora",
        config=LoraConfig,
        build=build_lora,
        summary="trains small matrices beside the frozen model: a voice as a file of 1 MB",
        used_in="training",
        paper="https://arxiv.org/abs/2106.09685",
    ),
    *OTHER_WRAPPERS,
)
