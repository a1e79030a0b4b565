"""Samplers that ship with VALL-E. No torch here."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen, validators

from vall_e.plugin import Component, ConfigError, Sampler, hookimpl

vall_e_hook_api = (1, 0)

probability = [validators.gt(0.0), validators.le(1.0)]


def _above_zero(instance: object, attribute: object, value: float) -> None:
    if not value > 0:
        raise ConfigError(f"temperature: t must be above 0, got {value}", hint="use greedy")


@frozen
class GreedyConfig:
    """No options."""


@frozen
class CategoricalConfig:
    """No options."""


@frozen
class TemperatureConfig:
    t: float = field(default=1.0, validator=_above_zero)
    """Below 1 likely tokens become likelier, above 1 all become more alike."""


@frozen
class TopKConfig:
    k: int = field(default=50, validator=validators.gt(0))
    """So many of the likeliest tokens are kept."""


@frozen
class TopPConfig:
    p: float = field(default=0.9, validator=probability)
    """The likeliest tokens that together reach this probability are kept, at least one."""


@frozen
class RepetitionAwareConfig:
    p: float = field(default=0.8, validator=probability)
    """Size of the nucleus that is drawn from first, a probability."""
    window: int = field(default=10, validator=validators.gt(0))
    """So many of the last tokens are looked at."""
    threshold: float = field(default=0.1, validator=[validators.ge(0.0), validators.le(1.0)])
    """A token that holds more than this share of the window is drawn again, from all tokens."""


def build_greedy(config: GreedyConfig) -> Sampler:
    from vall_e_samplers.greedy import Greedy

    return Greedy(config)


def build_categorical(config: CategoricalConfig) -> Sampler:
    from vall_e_samplers.categorical import Categorical

    return Categorical(config)


def build_temperature(config: TemperatureConfig) -> Sampler:
    from vall_e_samplers.temperature import Temperature

    return Temperature(config)


def build_top_k(config: TopKConfig) -> Sampler:
    from vall_e_samplers.top_k import TopK

    return TopK(config)


def build_top_p(config: TopPConfig) -> Sampler:
    from vall_e_samplers.top_p import TopP

    return TopP(config)


def build_repetition_aware(config: RepetitionAwareConfig) -> Sampler:
    from vall_e_samplers.repetition_aware import RepetitionAware

    return RepetitionAware(config)


@hookimpl
def vall_e_register_samplers() -> list[Component[Any]]:
    return [
        Component(
            name="greedy",
            config=GreedyConfig,
            build=build_greedy,
            summary="draws the likeliest token",
        ),
        Component(
            name="categorical",
            config=CategoricalConfig,
            build=build_categorical,
            summary="draws from the distribution as it is; ends a chain that does not draw",
        ),
        Component(
            name="temperature",
            config=TemperatureConfig,
            build=build_temperature,
            summary="sharpens or flattens the distribution",
        ),
        Component(
            name="top-k",
            config=TopKConfig,
            build=build_top_k,
            summary="keeps the k likeliest tokens",
            paper="https://arxiv.org/abs/1805.04833",
        ),
        Component(
            name="top-p",
            config=TopPConfig,
            build=build_top_p,
            summary="keeps the nucleus that holds probability p",
            paper="https://arxiv.org/abs/1904.09751",
        ),
        Component(
            name="repetition-aware",
            config=RepetitionAwareConfig,
            build=build_repetition_aware,
            summary="draws from the nucleus, and from everything where that repeats itself",
            paper="https://arxiv.org/abs/2406.05370",
        ),
    ]
