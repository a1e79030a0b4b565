"""Which RVQ level a training sample predicts."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from vall_e.config.schema import LevelWeights
from vall_e.errors import ConfigError


def level_sampler(
    weights: LevelWeights, levels: int, capabilities: Sequence[str]
) -> Callable[[random.Random], int]:
    """A function that draws a level the model is capable of.

    `auto` is linear: level i in proportion to levels - i, since every later level refines what
    the earlier ones say. `normal` is a bell over the middle levels. A list is drawn from evenly.
    """
    capable = [q for q in range(levels) if ("ar" if q == 0 else "nar") in capabilities]
    if isinstance(weights, tuple):
        foreign = sorted(set(weights) - set(capable))
        if foreign or not weights:
            raise ConfigError(
                f"training.levels: this model cannot train the levels {foreign} of {list(weights)}",
                hint=f"choose from {capable}",
            )
        return lambda rng: rng.choice(weights)
    share = [_SHARES[weights](q, levels) for q in capable]
    return lambda rng: rng.choices(capable, share)[0]


def _bell(level: int, levels: int) -> float:
    return math.exp(-((level - (levels - 1) / 2) ** 2) / (2 * (levels / 4) ** 2))


_SHARES: dict[str, Callable[[int, int], float]] = {
    "auto": lambda level, levels: levels - level,
    "equal": lambda level, levels: 1,
    "normal": _bell,
}
