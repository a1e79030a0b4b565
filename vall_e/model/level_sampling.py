"""Which RVQ level a training sample predicts."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from attrs import frozen

from vall_e.config.training import LevelWeights
from vall_e.errors import ConfigError


@frozen
class LevelSampler:
    """Draws a level at random; a value, so that loader processes can receive it."""

    levels: tuple[int, ...]
    shares: tuple[float, ...]

    def __call__(self, rng: random.Random) -> int:
        return rng.choices(self.levels, self.shares)[0]


def level_sampler(
    weights: LevelWeights,
    levels: int,
    capabilities: Sequence[str],
    *,
    within: Sequence[int] = (),
) -> LevelSampler:
    """A sampler of the levels that the model supports, `within` lowest and highest if given.

    `auto` is linear: level i in proportion to levels - i, since every later level refines the
    earlier ones. `normal` is a bell over the middle levels. A list is sampled uniformly.
    `levels` are then those up to the highest.
    Raises `ConfigError` for a list with a level that the model cannot train, and for an empty
    range.
    """
    capable = trained_levels(levels, capabilities, within)
    if isinstance(weights, str):
        count = min(levels, within[1] + 1) if within else levels
        return LevelSampler(capable, tuple(_SHARES[weights](q, count) for q in capable))
    foreign = sorted(set(weights) - set(capable))
    if foreign:
        raise ConfigError(
            f"training.levels: this model cannot train the levels {foreign} of {list(weights)}",
            hint=f"choose from {list(capable)}",
        )
    return LevelSampler(weights, (1.0,) * len(weights))


def trained_levels(
    levels: int, capabilities: Sequence[str], within: Sequence[int] = ()
) -> tuple[int, ...]:
    """The levels that the model supports, between lowest and highest."""
    first = not {"ar", "len"}.isdisjoint(capabilities)
    capable = tuple(q for q in range(levels) if (first if q == 0 else "nar" in capabilities))
    if not within:
        return capable
    found = tuple(q for q in capable if within[0] <= q <= within[1])
    if not found:
        raise ConfigError(
            f"training.level_range: this model can train no level of {list(within)}",
            hint=f"it can train {list(capable)}",
        )
    return found


def _bell(level: int, levels: int) -> float:
    return math.exp(-((level - (levels - 1) / 2) ** 2) / (2 * (levels / 4) ** 2))


_SHARES: dict[str, Callable[[int, int], float]] = {
    "auto": lambda level, levels: levels - level,
    "equal": lambda level, levels: 1,
    "normal": _bell,
}
