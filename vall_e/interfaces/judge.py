"""What the core asks of a judge: it takes a clip and what is known about it, and returns scores.

A score is an amount and a weight; the value over many clips is the sum of the amounts divided by
the sum of the weights. So one rule serves means (weight 1) and rates (errors per word), and
confidence intervals resample whole clips. Torch-free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from attrs import Factory, field, frozen, validators

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


class Sound(Protocol):
    """A clip, as far as judges need one: samples (s,) or (c, s) in [-1, 1]."""

    @property
    def name(self) -> str: ...

    @property
    def samples(self) -> NDArray[np.float32]: ...

    @property
    def sample_rate(self) -> int: ...

    @property
    def seconds(self) -> float: ...

    def mono(self) -> Sound: ...

    def resample(self, sample_rate: int) -> Sound: ...


@frozen(eq=False)
class Evidence:
    """A clip to judge, and what is known about it."""

    clip: Sound
    text: str = field(default="", kw_only=True)
    """The reference text; empty if it is not known."""
    speaker: str = field(default="", kw_only=True)
    reference: Sound | None = field(default=None, kw_only=True)
    """A reference recording of the intended speaker."""
    original: Sound | None = field(default=None, kw_only=True)
    """The original audio that a codec should have reproduced."""


@frozen(eq=False)
class Case:
    """What is known about all clips together."""

    candidates: tuple[str, ...] = ()
    """Sentences that may occur, including those of the clips."""
    references: Mapping[str, Sequence[Sound]] = field(factory=dict)
    """Recordings of each speaker, one or more."""
    seed: int = 0
    """Seed of everything random in a judge."""


@frozen
class Figure:
    """What a number means, and which direction is better."""

    meaning: str
    better: Literal["higher", "lower", ""] = ""
    """Empty: neither direction; the value has a target range."""


@frozen
class Score:
    """A figure of one clip. `amount` is None, with a reason, if it could not be computed."""

    amount: float | None
    weight: float = field(default=1.0, validator=validators.gt(0))
    reason: str = ""

    @property
    def value(self) -> float | None:
        return None if self.amount is None else self.amount / self.weight


@frozen
class Verdict:
    """The scores of one clip, one for each of the judge's figures, and texts for the reader."""

    scores: Mapping[str, Score]
    notes: Mapping[str, str] = Factory(dict)


@runtime_checkable
class Judge(Protocol):
    """Scores clips one at a time. Earlier clips never affect later ones."""

    @property
    def figures(self) -> Mapping[str, Figure]:
        """All figures that a verdict contains, by name."""
        ...

    @property
    def packages(self) -> Sequence[str]:
        """Distributions whose versions the figures depend on."""
        ...

    @property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of weights that the figures depend on, by name; `sha256_of` computes a file's."""
        ...

    @property
    def remarks(self) -> Sequence[str]:
        """Caveats that a reader of these figures must know, if any."""
        ...

    def __call__(self, evidence: Evidence) -> Verdict: ...
