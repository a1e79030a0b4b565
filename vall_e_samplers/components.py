"""Samplers that ship with VALL-E. No torch here."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen, validators

from vall_e.plugin import Component, ConfigError, Sampler, hookimpl
from vall_e_samplers.legacy_components import legacy_samplers

vall_e_hook_api = (1, 0)

probability = [validators.gt(0.0), validators.le(1.0)]
positive = validators.gt(0.0)


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


@frozen
class MinPConfig:
    p: float = field(default=0.05, validator=[validators.ge(0.0), validators.le(1.0)])
    """A token must be at least so likely, as a share of the likeliest."""
    keep: int = field(default=1, validator=validators.gt(0))
    """So many of the likeliest are kept whatever they share."""


@frozen
class TypicalConfig:
    mass: float = field(default=0.9, validator=probability)
    """The most typical tokens that together reach this probability are kept, at least one."""


@frozen
class TopNSigmaConfig:
    n: float = field(default=1.0, validator=positive)
    """Logits so many standard deviations below the greatest are kept."""


def _in_order(config: DynamicTemperatureConfig, _: object, most: float) -> None:
    if not most >= config.least:
        raise ConfigError(
            f"dynamic-temperature: most ({most}) is below least ({config.least})",
            hint="swap them, or set both to the same for a fixed temperature",
        )


@frozen
class DynamicTemperatureConfig:
    least: float = field(default=0.5, validator=positive)
    """The temperature where the model is sure."""
    most: float = field(default=1.0, validator=[positive, _in_order])
    """The temperature where it is not."""
    middle: float = field(default=0.5, validator=[validators.ge(0.0), validators.le(1.0)])
    """Where the likeliest token has this probability, the temperature is halfway."""
    slope: float = field(default=10.0, validator=positive)
    """How sharply it changes there."""


@frozen
class RepetitionPenaltyConfig:
    factor: float = field(default=1.2, validator=positive)
    """Over 1: tokens that came before get less likely. Under 1: likelier."""
    decay: float = field(default=0.0, validator=validators.ge(0.0))
    """How fast that fades with the frames since: the factor is `factor ** (frames ** -decay)`."""
    window: int = field(default=0, validator=validators.ge(0))
    """So many of the last tokens are looked at; 0: all."""


@frozen
class LengthPenaltyConfig:
    factor: float = field(default=0.5)
    """Over 0: the stop token gets less likely with each frame, so speech gets longer. Under 0:
    shorter."""
    stop: int = -1
    """Id of the stop token; -1: the last, as in `sampling.ar`."""


@frozen
class StopBanConfig:
    frames: int = field(default=0, validator=validators.ge(0))
    """No end before so many frames; 0: none at all, so an utterance is as long as is allowed."""
    stop: int = -1
    """Id of the stop token; -1: the last, as in `sampling.ar`."""


@frozen
class MirostatConfig:
    tau: float = field(default=5.0, validator=positive)
    """The surprise that is aimed at, in bits a token."""
    eta: float = field(default=0.1, validator=positive)
    """How fast the limit follows a surprise that was other than that."""


def _ascending(config: EntropixConfig, _: object, high: float) -> None:
    if not 0 < config.low < config.medium <= high:
        raise ConfigError(
            f"entropix: low ({config.low}), medium ({config.medium}) and high ({high}) must ascend",
            hint="set thresholds such as 0.1, 3 and 5",
        )


@frozen
class EntropixConfig:
    t: float = field(default=0.666, validator=positive)
    """The temperature that the cases start from."""
    p: float = field(default=0.9, validator=probability)
    """Nucleus that is drawn from."""
    k: int = field(default=27, validator=validators.gt(0))
    """So many tokens at most are drawn from."""
    min_p: float = field(default=0.03, validator=[validators.ge(0.0), validators.le(1.0)])
    """Where no case holds: the least share of the likeliest token's probability."""
    samples: int = field(default=5, validator=validators.gt(0))
    """Where no case holds: so many draws, of which the likeliest is taken."""
    low: float = 0.1
    """Entropy and varentropy (bits, bits squared) below this are low."""
    medium: float = 3.0
    """Entropy above this is not sure."""
    high: float = field(default=5.0, validator=_ascending)
    """Entropy and varentropy above this are high."""


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
    Component(
        name="min-p",
        config=MinPConfig,
        build=build_min_p,
        summary="drops what is much less likely than the likeliest token",
        paper="https://arxiv.org/abs/2407.01082",
    ),
    Component(
        name="typical",
        config=TypicalConfig,
        build=build_typical,
        summary="keeps the tokens whose surprise is nearest to what is expected",
        paper="https://arxiv.org/abs/2202.00666",
    ),
    Component(
        name="top-n-sigma",
        config=TopNSigmaConfig,
        build=build_top_n_sigma,
        summary="keeps logits within n standard deviations of the greatest",
        paper="https://arxiv.org/abs/2411.07641",
    ),
    Component(
        name="dynamic-temperature",
        config=DynamicTemperatureConfig,
        build=build_dynamic_temperature,
        summary="a temperature for each frame: low where the model is sure",
    ),
    Component(
        name="repetition-penalty",
        config=RepetitionPenaltyConfig,
        build=build_repetition_penalty,
        summary="makes tokens less likely that came before",
        paper="https://arxiv.org/abs/1909.05858",
    ),
    Component(
        name="length-penalty",
        config=LengthPenaltyConfig,
        build=build_length_penalty,
        summary="makes the end less likely, or likelier, with each frame",
    ),
    Component(
        name="stop-ban",
        config=StopBanConfig,
        build=build_stop_ban,
        summary="keeps an utterance from ending before so many frames",
    ),
    Component(
        name="mirostat-v1",
        config=MirostatConfig,
        build=build_mirostat_v1,
        summary="steers to a steady surprise, by the slope of Zipf's law",
        paper="https://arxiv.org/abs/2007.14966",
    ),
    Component(
        name="mirostat-v2",
        config=MirostatConfig,
        build=build_mirostat_v2,
        summary="steers to a steady surprise, by a limit on each token's",
        paper="https://arxiv.org/abs/2007.14966",
    ),
    Component(
        name="entropix",
        config=EntropixConfig,
        build=build_entropix,
        summary="draws as entropy and varentropy say",
    ),
)


@hookimpl
def vall_e_register_samplers() -> list[Component[Any]]:
    return [*SAMPLERS, *legacy_samplers()]
