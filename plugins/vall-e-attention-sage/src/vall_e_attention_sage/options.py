"""Options of `sage`. No torch here."""

from __future__ import annotations

from attrs import frozen


@frozen
class SageConfig:
    """No options."""
