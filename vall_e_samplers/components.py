"""Built-in samplers. No torch here."""

from __future__ import annotations

from typing import Any

from vall_e.plugin import Component, Sampler, hookimpl
from vall_e_samplers.legacy_components import legacy_samplers
from vall_e_samplers.options import (
    CategoricalConfig,
    DynamicTemperatureConfig,
    EntropixConfig,
    GreedyConfig,
    LengthPenaltyConfig,
    MinPConfig,
    MirostatConfig,
    RepetitionAwareConfig,
    RepetitionPenaltyConfig,
    StopBanConfig,
    TemperatureConfig,
    TopKConfig,
    TopNSigmaConfig,
    TopPConfig,
    TypicalConfig,
)

vall_e_hook_api = (1, 0)


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


def build_min_p(config: MinPConfig) -> Sampler:
    from vall_e_samplers.min_p import MinP

    return MinP(config)


def build_typical(config: TypicalConfig) -> Sampler:
    from vall_e_samplers.typical import Typical

    return Typical(config)


def build_top_n_sigma(config: TopNSigmaConfig) -> Sampler:
    from vall_e_samplers.top_n_sigma import TopNSigma

    return TopNSigma(config)


def build_dynamic_temperature(config: DynamicTemperatureConfig) -> Sampler:
    from vall_e_samplers.dynamic_temperature import DynamicTemperature

    return DynamicTemperature(config)


def build_repetition_penalty(config: RepetitionPenaltyConfig) -> Sampler:
    from vall_e_samplers.repetition_penalty import RepetitionPenalty

    return RepetitionPenalty(config)


def build_length_penalty(config: LengthPenaltyConfig) -> Sampler:
    from vall_e_samplers.length_penalty import LengthPenalty

    return LengthPenalty(config)


def build_stop_ban(config: StopBanConfig) -> Sampler:
    from vall_e_samplers.stop_ban import StopBan

    return StopBan(config)


def build_mirostat_v1(config: MirostatConfig) -> Sampler:
    from vall_e_samplers.mirostat import MirostatV1

    return MirostatV1(config)


def build_mirostat_v2(config: MirostatConfig) -> Sampler:
    from vall_e_samplers.mirostat import MirostatV2

    return MirostatV2(config)


def build_entropix(config: EntropixConfig) -> Sampler:
    from vall_e_samplers.entropix import Entropix

    return Entropix(config)


SAMPLERS: tuple[Component[Any], ...] = (
    Component(
        name="greedy",
        config=GreedyConfig,
        build=build_greedy,
        summary="takes the likeliest token",
    ),
    Component(
        name="categorical",
        config=CategoricalConfig,
        build=build_categorical,
        summary="samples from the unchanged distribution; ends a chain of processors",
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
        summary="samples from the nucleus, or from all tokens if that repeats itself",
        paper="https://arxiv.org/abs/2406.05370",
    ),
    Component(
        name="min-p",
        config=MinPConfig,
        build=build_min_p,
        summary="drops tokens that are much less likely than the likeliest",
        paper="https://arxiv.org/abs/2407.01082",
    ),
    Component(
        name="typical",
        config=TypicalConfig,
        build=build_typical,
        summary="keeps the tokens whose information is nearest to the entropy",
        paper="https://arxiv.org/abs/2202.00666",
    ),
    Component(
        name="top-n-sigma",
        config=TopNSigmaConfig,
        build=build_top_n_sigma,
        summary="keeps logits within n standard deviations of the largest",
        paper="https://arxiv.org/abs/2411.07641",
    ),
    Component(
        name="dynamic-temperature",
        config=DynamicTemperatureConfig,
        build=build_dynamic_temperature,
        summary="a temperature for each frame: low if the model is confident",
    ),
    Component(
        name="repetition-penalty",
        config=RepetitionPenaltyConfig,
        build=build_repetition_penalty,
        summary="makes repeated tokens less likely",
        paper="https://arxiv.org/abs/1909.05858",
    ),
    Component(
        name="length-penalty",
        config=LengthPenaltyConfig,
        build=build_length_penalty,
        summary="makes the stop token less likely, or likelier, with each frame",
    ),
    Component(
        name="stop-ban",
        config=StopBanConfig,
        build=build_stop_ban,
        summary="prevents an utterance from ending before a number of frames",
    ),
    Component(
        name="mirostat-v1",
        config=MirostatConfig,
        build=build_mirostat_v1,
        summary="keeps the surprise of tokens constant, by the slope of Zipf's law",
        paper="https://arxiv.org/abs/2007.14966",
    ),
    Component(
        name="mirostat-v2",
        config=MirostatConfig,
        build=build_mirostat_v2,
        summary="keeps the surprise of tokens constant, by a limit for each token",
        paper="https://arxiv.org/abs/2007.14966",
    ),
    Component(
        name="entropix",
        config=EntropixConfig,
        build=build_entropix,
        summary="adapts sampling to entropy and varentropy",
    ),
)


@hookimpl
def vall_e_register_samplers() -> list[Component[Any]]:
    return [*SAMPLERS, *legacy_samplers()]
