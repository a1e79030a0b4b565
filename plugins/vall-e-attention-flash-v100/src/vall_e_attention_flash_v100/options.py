"""Options of `flash-v100`. No torch here."""

from __future__ import annotations

from attrs import frozen


@frozen
class FlashV100Config:
    """No options."""
