"""Options of the training engines. No torch here."""

from __future__ import annotations

from attrs import frozen


@frozen
class LocalEngineConfig:
    """No options: device and precision are `training.device` and `training.precision`."""
