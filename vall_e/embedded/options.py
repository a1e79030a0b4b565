"""Options of the built-in model. No torch here."""

from __future__ import annotations

from attrs import frozen


@frozen
class EmbeddedModelConfig:
    """No options."""
