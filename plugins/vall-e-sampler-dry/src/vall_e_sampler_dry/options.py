"""Options of the DRY samplers. No torch here."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class DryConfig:
    """Options of `dry`."""

    multiplier: float = field(default=0.8, validator=validators.ge(0.0))
    """Penalty of a repetition that is one token too long."""
    base: float = field(default=1.75, validator=validators.ge(1.0))
    """Each further token multiplies the penalty by this."""
    allowed: int = field(default=2, validator=validators.gt(0))
    """Repetitions of up to this many tokens, including the new one, are not penalized."""
    longest: int = field(default=50, validator=validators.gt(0))
    """Longer repetitions count as this long, which keeps penalties finite."""
    window: int = field(default=0, validator=validators.ge(0))
    """How many recent tokens are checked; 0: all."""


@frozen
class LegacyDryConfig:
    """Options of `legacy-dry`."""

    multiplier: float = field(default=0.8, validator=validators.ge(0.0))
    """Penalty of a repetition that is one token too long."""
    base: float = field(default=1.75, validator=validators.ge(1.0))
    """Each further token multiplies the penalty by this."""
    allowed: int = field(default=2, validator=validators.gt(0))
    """Shorter repetitions are not penalized."""
