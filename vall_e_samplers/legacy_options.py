"""Options of the samplers that follow e-c-k-e-r/vall-e. No torch here."""

from __future__ import annotations

from attrs import field, frozen, validators

positive = validators.gt(0.0)


@frozen
class LegacyRepetitionPenaltyConfig:
    factor: float = field(default=1.5, validator=positive)
    """Each occurrence divides the logit by this."""
    decay: float = field(default=0.0, validator=validators.ge(0.0))
    """And by the number of frames since then, to this power."""
    window: int = field(default=75, validator=validators.ge(0))
    """How many recent tokens are checked; 0: all, as in versions since November 19, 2024."""


@frozen
class LegacyLengthPenaltyConfig:
    factor: float = field(default=0.5)
    """The stop token's logit is divided by `(frames + 1)` to this power."""
    stop: int = -1
    """Id of the stop token; -1: the last, as in `sampling.ar`."""


@frozen
class LegacyMirostatConfig:
    tau: float = field(default=3.0, validator=positive)
    """Target surprise, in bits per token."""
    eta: float = field(default=0.1, validator=positive)
    """Learning rate of the limit, which starts at twice this value."""
    size: int = field(default=1024, validator=validators.gt(1))
    """Assumed number of tokens, whatever the real one is."""
