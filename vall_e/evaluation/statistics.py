"""Figures over many clips, with confidence intervals. Torch-free."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence

import numpy as np
from attrs import frozen

from vall_e.interfaces.judge import Score

RESAMPLES = 2000
CONFIDENCE = 0.95
FEWEST = 5
"""With fewer texts there is no interval: they cannot show how much texts differ."""


@frozen
class Summary:
    """A figure over clips: the sum of the amounts divided by the sum of the weights."""

    value: float | None
    interval: tuple[float, float] | None
    """95 % confidence interval; None if there are too few clips."""
    clips: int
    """Clips that have the figure."""
    left_out: int
    """Clips that do not have it."""
    reason: str = ""
    """Why the first of those does not have it."""


def summarize(
    scores: Sequence[Score], units: Sequence[Hashable], *, seed: int, name: str
) -> Summary:
    """The figure, and its interval by bootstrap (percentiles; Efron 1979).

    Units are resampled, for example a text with all its clips, since those are correlated. The
    random draws depend on `seed` and `name` only.
    """
    pairs = list(zip(scores, units, strict=True))
    lacking = [score.reason for score in scores if score.amount is None]
    kept = [(score.amount, score.weight, unit) for score, unit in pairs if score.amount is not None]
    reason = lacking[0] if lacking else ""
    if not kept:
        return Summary(None, None, 0, len(lacking), reason)
    places = {unit: place for place, unit in enumerate(dict.fromkeys(unit for _, _, unit in kept))}
    sums = np.zeros((len(places), 2))
    for amount, weight, unit in kept:
        sums[places[unit]] += amount, weight
    amount, weight = sums.sum(axis=0)
    interval = _interval(sums, seed, name) if len(sums) >= FEWEST else None
    return Summary(float(amount / weight), interval, len(kept), len(lacking), reason)


def _interval(sums: np.ndarray, seed: int, name: str) -> tuple[float, float]:
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    draws = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    chosen = draws.integers(len(sums), size=(RESAMPLES, len(sums)))
    amounts, weights = sums[chosen].sum(axis=1).T
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(amounts / weights, [tail, 1 - tail])
    return float(low), float(high)
