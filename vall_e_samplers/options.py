"""Options of the built-in samplers. No torch here."""

from __future__ import annotations

from attrs import field, frozen, validators

from vall_e.plugin import ConfigError

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
    """Below 1, likely tokens become likelier; above 1, all become more similar."""


@frozen
class TopKConfig:
    k: int = field(default=50, validator=validators.gt(0))
    """How many of the likeliest tokens are kept."""


@frozen
class TopPConfig:
    p: float = field(default=0.9, validator=probability)
    """The likeliest tokens that together reach this probability are kept, at least one."""


@frozen
class RepetitionAwareConfig:
    p: float = field(default=0.8, validator=probability)
    """Probability mass of the nucleus that is sampled from first."""
    window: int = field(default=10, validator=validators.gt(0))
    """How many recent tokens are checked."""
    threshold: float = field(default=0.1, validator=[validators.ge(0.0), validators.le(1.0)])
    """A token that fills more than this share of the window is replaced by one of all tokens."""


@frozen
class MinPConfig:
    p: float = field(default=0.05, validator=[validators.ge(0.0), validators.le(1.0)])
    """Minimum probability of a token, as a share of the likeliest token's."""
    keep: int = field(default=1, validator=validators.gt(0))
    """This many of the likeliest tokens are always kept."""


@frozen
class TypicalConfig:
    mass: float = field(default=0.9, validator=probability)
    """The most typical tokens that together reach this probability are kept, at least one."""


@frozen
class TopNSigmaConfig:
    n: float = field(default=1.0, validator=positive)
    """Logits up to this many standard deviations below the largest are kept."""


def _in_order(config: DynamicTemperatureConfig, _: object, most: float) -> None:
    if not most >= config.least:
        raise ConfigError(
            f"dynamic-temperature: most ({most}) is below least ({config.least})",
            hint="swap them, or set both to the same value for a fixed temperature",
        )


@frozen
class DynamicTemperatureConfig:
    least: float = field(default=0.5, validator=positive)
    """Temperature if the model is confident."""
    most: float = field(default=1.0, validator=[positive, _in_order])
    """Temperature if it is not."""
    middle: float = field(default=0.5, validator=[validators.ge(0.0), validators.le(1.0)])
    """If the likeliest token has this probability, the temperature is halfway between the two."""
    slope: float = field(default=10.0, validator=positive)
    """How sharply it changes there."""


@frozen
class RepetitionPenaltyConfig:
    factor: float = field(default=1.2, validator=positive)
    """Above 1: repeated tokens become less likely. Below 1: likelier."""
    decay: float = field(default=0.0, validator=validators.ge(0.0))
    """How fast the penalty fades with the frames since: it is `factor ** (frames ** -decay)`."""
    window: int = field(default=0, validator=validators.ge(0))
    """How many recent tokens are checked; 0: all."""


@frozen
class LengthPenaltyConfig:
    factor: float = field(default=0.5)
    """Above 0: the stop token becomes less likely with each frame, so speech becomes longer.
    Below 0: shorter."""
    stop: int = -1
    """Id of the stop token; -1: the last, as in `sampling.ar`."""


@frozen
class StopBanConfig:
    frames: int = field(default=0, validator=validators.ge(0))
    """Minimum number of frames; 0: the stop token is never sampled, so the length is the
    maximum."""
    stop: int = -1
    """Id of the stop token; -1: the last, as in `sampling.ar`."""


@frozen
class MirostatConfig:
    tau: float = field(default=5.0, validator=positive)
    """Target surprise, in bits per token."""
    eta: float = field(default=0.1, validator=positive)
    """Learning rate of the limit on surprise."""


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
    """Probability mass of the nucleus that is sampled from."""
    k: int = field(default=27, validator=validators.gt(0))
    """Maximum number of tokens that are sampled from."""
    min_p: float = field(default=0.03, validator=[validators.ge(0.0), validators.le(1.0)])
    """If no case applies: minimum probability of a token, as a share of the likeliest token's."""
    samples: int = field(default=5, validator=validators.gt(0))
    """If no case applies: number of random tokens, of which the likeliest is taken."""
    low: float = 0.1
    """Entropy and varentropy (bits, bits squared) below this are low."""
    medium: float = 3.0
    """Entropy above this counts as uncertain."""
    high: float = field(default=5.0, validator=_ascending)
    """Entropy and varentropy above this are high."""
