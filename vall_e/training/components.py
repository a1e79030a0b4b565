"""Built-in optimizers, schedules, engines and wrappers. No torch here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from vall_e.plugin import Component, Trial
from vall_e.training.optimizers.components import OTHER_OPTIMIZERS
from vall_e.training.options import (
    AdamWConfig,
    CompileConfig,
    ConstantConfig,
    CosineConfig,
    LocalEngineConfig,
    LoraConfig,
    SgdConfig,
    WarmupConfig,
)
from vall_e.training.schedules.components import OTHER_SCHEDULES
from vall_e.training.wrappers.components import OTHER_WRAPPERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch

    from vall_e.interfaces.training import Engine


def build_adamw(
    config: AdamWConfig, *, parameters: Iterable[tuple[str, torch.nn.Parameter]]
) -> torch.optim.Optimizer:
    from vall_e.training.optimizers.torch_optimizers import adamw

    return adamw(config, parameters)


def build_sgd(
    config: SgdConfig, *, parameters: Iterable[tuple[str, torch.nn.Parameter]]
) -> torch.optim.Optimizer:
    from vall_e.training.optimizers.torch_optimizers import sgd

    return sgd(config, parameters)


def build_constant(config: ConstantConfig, *, max_steps: int) -> Callable[[int], float]:
    return lambda step: 1.0


def build_warmup(config: WarmupConfig, *, max_steps: int) -> Callable[[int], float]:
    from vall_e.training.schedules.factors import warmup

    return lambda step: warmup(step, config.warmup_steps)


def build_cosine(config: CosineConfig, *, max_steps: int) -> Callable[[int], float]:
    from vall_e.training.schedules.factors import cosine

    return lambda step: cosine(step, config.warmup_steps, max_steps, config.final)


def build_local(config: LocalEngineConfig) -> Engine:
    from vall_e.training.local_engine import LocalEngine

    return LocalEngine()


def build_compile(config: CompileConfig) -> Callable[[torch.nn.Module], torch.nn.Module]:
    from vall_e.training.wrappers.state import compiled, unchanged

    return partial(compiled, dynamic=config.dynamic) if config.enabled else unchanged


def build_lora(config: LoraConfig) -> Callable[[torch.nn.Module], torch.nn.Module]:
    from vall_e.model.lora import Terms
    from vall_e.training.wrappers.state import adapted

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
        name="constant", config=ConstantConfig, build=build_constant, summary="constant rate"
    ),
    Component(
        name="warmup",
        config=WarmupConfig,
        build=build_warmup,
        summary="linear warm-up, then constant",
    ),
    Component(
        name="cosine",
        config=CosineConfig,
        build=build_cosine,
        summary="linear warm-up, then cosine decay until the last step",
        paper="https://arxiv.org/abs/1608.03983",
    ),
    *OTHER_SCHEDULES,
)
ENGINES = (
    Component(
        name="local", config=LocalEngineConfig, build=build_local, summary="one process, one device"
    ),
)
WRAPPERS: tuple[Component[Any], ...] = (
    Component(
        name="compile",
        config=CompileConfig,
        build=build_compile,
        summary="torch.compile of the backbone; the first steps are slow, later ones faster",
        trial=Trial(facts={"tolerance": 1e-5}),
    ),
    Component(
        name="lora",
        config=LoraConfig,
        build=build_lora,
        summary="trains small low-rank matrices on a frozen model: a voice in a file of 1 MB",
        used_in="training",
        paper="https://arxiv.org/abs/2106.09685",
    ),
    *OTHER_WRAPPERS,
)
