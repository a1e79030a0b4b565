"""Options of `fused`. No torch here."""

from __future__ import annotations

from attrs import frozen


@frozen
class FusedConfig:
    """No options."""
