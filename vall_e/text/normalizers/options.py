"""Options of the built-in normalizer. No torch here."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class RulesConfig:
    """Options of `rules`."""

    max_digits: int = field(default=1000, validator=validators.ge(1))
    """A number with more digits in a row is refused; to read 1,000 takes about five minutes."""
