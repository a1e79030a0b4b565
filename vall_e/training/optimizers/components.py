"""The built-in optimizers. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vall_e.plugin import Component, Trial
from vall_e.training.optimizers.options import (
    AdafactorConfig,
    AdagradConfig,
    AdamW8bitConfig,
    AdamWConfig,
    DAdaptationConfig,
    MuonConfig,
    ProdigyConfig,
    ScheduleFreeAdamWConfig,
    ScheduleFreeSgdConfig,
    SgdConfig,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch

    Named = Iterable[tuple[str, torch.nn.Parameter]]


def build_adagrad(config: AdagradConfig, *, parameters: Named) -> torch.optim.Optimizer:
    from vall_e.training.optimizers.torch_optimizers import adagrad

    return adagrad(config, parameters)


def build_adafactor(config: AdafactorConfig, *, parameters: Named) -> torch.optim.Optimizer:
    from vall_e.training.optimizers.torch_optimizers import adafactor

    return adafactor(config, parameters)


def build_muon(config: MuonConfig, *, parameters: Named) -> torch.optim.Optimizer:
    """Raises `UnavailableError` if torch has no Muon."""
    from vall_e.training.optimizers.muon import muon

    return muon(config, parameters)


def build_prodigy(config: ProdigyConfig, *, parameters: Named) -> torch.optim.Optimizer:
    """Raises `UnavailableError` without the package prodigyopt."""
    from vall_e.training.optimizers.third_party import prodigy

    return prodigy(config, parameters)


def build_dadaptation(config: DAdaptationConfig, *, parameters: Named) -> torch.optim.Optimizer:
    """Raises `UnavailableError` without the package dadaptation."""
    from vall_e.training.optimizers.third_party import dadaptation

    return dadaptation(config, parameters)


def build_schedule_free_adamw(
    config: ScheduleFreeAdamWConfig, *, parameters: Named
) -> torch.optim.Optimizer:
    """Raises `UnavailableError` without the package schedulefree."""
    from vall_e.training.optimizers.third_party import schedule_free_adamw

    return schedule_free_adamw(config, parameters)


def build_schedule_free_sgd(
    config: ScheduleFreeSgdConfig, *, parameters: Named
) -> torch.optim.Optimizer:
    """Raises `UnavailableError` without the package schedulefree."""
    from vall_e.training.optimizers.third_party import schedule_free_sgd

    return schedule_free_sgd(config, parameters)


def build_adamw_8bit(config: AdamW8bitConfig, *, parameters: Named) -> torch.optim.Optimizer:
    """Raises `UnavailableError` without the package bitsandbytes."""
    from vall_e.training.optimizers.third_party import adamw_8bit

    return adamw_8bit(config, parameters)


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
    Component(
        name="adagrad",
        config=AdagradConfig,
        build=build_adagrad,
        summary="a rate per weight, which falls with the sum of its squared gradients",
        paper="https://jmlr.org/papers/v12/duchi11a.html",
    ),
    Component(
        name="adafactor",
        config=AdafactorConfig,
        build=build_adafactor,
        summary="factored second moments by row and column: almost no memory for state",
        paper="https://arxiv.org/abs/1804.04235",
    ),
    Component(
        name="muon",
        config=MuonConfig,
        build=build_muon,
        summary="orthogonalized updates of the backbone's matrices, AdamW for the rest",
        paper="https://arxiv.org/abs/2502.16982",
        fixed=("rest",),
        trial=Trial(options={"lr": 0.05}),
    ),
    Component(
        name="prodigy",
        config=ProdigyConfig,
        build=build_prodigy,
        summary="AdamW that finds its learning rate (package prodigyopt)",
        paper="https://arxiv.org/abs/2306.06101",
        trial=Trial(options={"lr": 1.0}, facts={"steps": 200}),
    ),
    Component(
        name="dadaptation",
        config=DAdaptationConfig,
        build=build_dadaptation,
        summary="AdamW that finds its learning rate (package dadaptation)",
        paper="https://arxiv.org/abs/2301.07733",
        trial=Trial(options={"lr": 1.0}, facts={"steps": 400}),
    ),
    Component(
        name="schedule-free-adamw",
        config=ScheduleFreeAdamWConfig,
        build=build_schedule_free_adamw,
        summary="AdamW with weight averaging instead of a decaying rate (package schedulefree)",
        paper="https://arxiv.org/abs/2405.15682",
        trial=Trial(options={"lr": 0.02, "warmup_steps": 2}, facts={"averages": True}),
    ),
    Component(
        name="schedule-free-sgd",
        config=ScheduleFreeSgdConfig,
        build=build_schedule_free_sgd,
        summary="SGD with weight averaging instead of a decaying rate (package schedulefree)",
        paper="https://arxiv.org/abs/2405.15682",
        trial=Trial(options={"lr": 0.2, "warmup_steps": 2}, facts={"averages": True}),
    ),
    Component(
        name="adamw-8bit",
        config=AdamW8bitConfig,
        build=build_adamw_8bit,
        summary="AdamW with 8-bit state (package bitsandbytes)",
        paper="https://arxiv.org/abs/2110.02861",
    ),
)
