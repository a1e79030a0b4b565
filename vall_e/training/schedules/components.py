"""The built-in schedules. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vall_e.plugin import Component
from vall_e.training.schedules.options import (
    ConstantConfig,
    CosineConfig,
    NoamConfig,
    OneCycleConfig,
    WarmupConfig,
    WsdConfig,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def build_one_cycle(config: OneCycleConfig, *, max_steps: int) -> Callable[[int], float]:
    from vall_e.training.schedules.factors import one_cycle

    return lambda step: one_cycle(
        step, max_steps, rise=config.rise, first=config.first, final=config.final
    )


def build_noam(config: NoamConfig, *, max_steps: int) -> Callable[[int], float]:
    from vall_e.training.schedules.factors import noam

    return lambda step: noam(step, config.warmup_steps)


def build_wsd(config: WsdConfig, *, max_steps: int) -> Callable[[int], float]:
    from vall_e.training.schedules.factors import fitted_warmup, warmup_stable_decay

    warmup_steps = fitted_warmup(config.warmup_steps, max_steps)
    return lambda step: warmup_stable_decay(
        step,
        max_steps,
        warmup_steps=warmup_steps,
        decay=config.decay,
        final=config.final,
        shape=config.shape,
    )


def build_constant(config: ConstantConfig, *, max_steps: int) -> Callable[[int], float]:
    return lambda step: 1.0


def build_warmup(config: WarmupConfig, *, max_steps: int) -> Callable[[int], float]:
    from vall_e.training.schedules.factors import fitted_warmup, warmup

    warmup_steps = fitted_warmup(config.warmup_steps, max_steps)
    return lambda step: warmup(step, warmup_steps)


def build_cosine(config: CosineConfig, *, max_steps: int) -> Callable[[int], float]:
    from vall_e.training.schedules.factors import cosine, fitted_warmup

    warmup_steps = fitted_warmup(config.warmup_steps, max_steps)
    return lambda step: cosine(step, warmup_steps, max_steps, config.final)


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
    Component(
        name="one-cycle",
        config=OneCycleConfig,
        build=build_one_cycle,
        summary="half a cosine up, then half a cosine down to almost zero",
        paper="https://arxiv.org/abs/1708.07120",
    ),
    Component(
        name="noam",
        config=NoamConfig,
        build=build_noam,
        summary="linear warm-up, then 1 / sqrt(step); independent of the run's length",
        paper="https://arxiv.org/abs/1706.03762",
    ),
    Component(
        name="wsd",
        config=WsdConfig,
        build=build_wsd,
        summary="linear warm-up, constant rate, and a decay at the end of the run",
        paper="https://arxiv.org/abs/2404.06395",
    ),
)
