"""Optimizers, schedules, engines and wrappers that ship in the core. No torch here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import field, frozen, validators

from vall_e.plugin import Component

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch

    from vall_e.interfaces import Engine


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


OPTIMIZERS = (
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
)
SCHEDULES = (
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
)
ENGINES = (
    Component(
        name="local", config=LocalConfig, build=build_local, summary="one process, one device"
    ),
)
WRAPPERS = (
    Component(
        name="compile",
        config=CompileConfig,
        build=build_compile,
        summary="torch.compile of the backbone; slow first steps, then faster ones",
    ),
)
