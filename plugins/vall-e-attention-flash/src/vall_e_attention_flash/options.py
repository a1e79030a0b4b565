"""Options of `flash-attn`. No torch here."""

from __future__ import annotations

from attrs import frozen


@frozen
class FlashAttnConfig:
    """No options."""
