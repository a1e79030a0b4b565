"""What the core asks of a judge: it gets a clip with what is known of it, and gives scores.

A score is an amount for a weight, and a figure over many clips is the sum of the amounts for the
sum of the weights. So one rule serves means (weight 1) and rates (errors for words), and what is
drawn again for an interval is whole clips. Torch-free.
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
    """What should be said; empty where it is not known."""
    speaker: str = field(default="", kw_only=True)
    reference: Sound | None = field(default=None, kw_only=True)
    """A recording of the voice that is meant."""
    original: Sound | None = field(default=None, kw_only=True)
    """What a codec should have given back."""


@frozen(eq=False)
class Case:
    """What is known about all the clips together."""

    candidates: tuple[str, ...] = ()
    """Sentences that may be said, those of the clips among them."""
    references: Mapping[str, Sequence[Sound]] = field(factory=dict)
    """Recordings of each speaker, one or more."""
    seed: int = 0
    """Of whatever a judge draws."""


@frozen
class Figure:
    """What a number means, and which way is good."""

    meaning: str
    better: Literal["higher", "lower", ""] = ""
    """Empty: neither; it has a range where it should be."""


@frozen
class Score:
    """A figure of one clip. `amount` is None, with a reason, where there is none."""

    amount: float | None
    weight: float = field(default=1.0, validator=validators.gt(0))
    reason: str = ""

    @property
    def value(self) -> float | None:
        return None if self.amount is None else self.amount / self.weight


@frozen
class Verdict:
    """The scores of one clip, one for each of the judge's figures, and words for the reader."""

    scores: Mapping[str, Score]
    notes: Mapping[str, str] = Factory(dict)


@runtime_checkable
class Judge(Protocol):
    """Gives figures of clips, one clip at a time. What it judged before changes nothing."""

    @property
    def figures(self) -> Mapping[str, Figure]:
        """All that a verdict holds, by name."""
        ...

    @property
    def packages(self) -> Sequence[str]:
        """Distributions whose versions the figures depend on."""
        ...

    @property
    def weights(self) -> Mapping[str, str]:
        """SHA-256 of weights that the figures depend on, by name; `sha256_of` gives a file's."""
        ...

    @property
    def remarks(self) -> Sequence[str]:
        """What a reader of these figures must know, if anything."""
        ...

    def __call__(self, evidence: Evidence) -> Verdict: ...
