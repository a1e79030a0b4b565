"""Options of the DRY samplers. No torch here."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class DryConfig:
    """Options of `dry`."""

    multiplier: float = field(default=0.8, validator=validators.ge(0.0))
    """The penalty of a repetition that is just too long."""
    base: float = field(default=1.75, validator=validators.ge(1.0))
    """Each further token multiplies the penalty by this."""
    allowed: int = field(default=2, validator=validators.gt(0))
    """Repetitions of so many tokens, the new one among them, cost nothing."""
    longest: int = field(default=50, validator=validators.gt(0))
    """Longer repetitions count as if they were so long, which keeps penalties finite."""
    window: int = field(default=0, validator=validators.ge(0))
    """So many of the last tokens are looked at; 0: all."""


@frozen
class LegacyDryConfig:
    """Options of `legacy-dry`."""

    multiplier: float = field(default=0.8, validator=validators.ge(0.0))
    """The penalty of a repetition that is just too long."""
    base: float = field(default=1.75, validator=validators.ge(1.0))
    """Each further token multiplies the penalty by this."""
    allowed: int = field(default=2, validator=validators.gt(0))
    """Repetitions that are shorter cost nothing."""
