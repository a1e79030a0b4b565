"""Options of the samplers that compute as e-c-k-e-r/vall-e does. No torch here."""

from __future__ import annotations

from attrs import field, frozen, validators

positive = validators.gt(0.0)


@frozen
class LegacyRepetitionPenaltyConfig:
    factor: float = field(default=1.5, validator=positive)
    """Each occurrence divides the logit by this."""
    decay: float = field(default=0.0, validator=validators.ge(0.0))
    """And by the frames since then to this power."""
    window: int = field(default=75, validator=validators.ge(0))
    """So many of the last tokens are looked at; 0: all, as from November 19, 2024 on."""


@frozen
class LegacyLengthPenaltyConfig:
    factor: float = field(default=0.5)
    """The stop token's logit is divided by `(frames + 1)` to this power."""
    stop: int = -1
    """Id of the stop token; -1: the last, as in `sampling.ar`."""


@frozen
class LegacyMirostatConfig:
    tau: float = field(default=3.0, validator=positive)
    """The surprise that is aimed at, in bits a token."""
    eta: float = field(default=0.1, validator=positive)
    """How fast the limit follows; it starts at twice this."""
    size: int = field(default=1024, validator=validators.gt(1))
    """Taken for the number of tokens, whatever it is."""
