"""Options of `xformers`. No torch here."""

from __future__ import annotations

from attrs import frozen


@frozen
class XformersConfig:
    """No options."""
