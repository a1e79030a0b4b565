"""Options of the training engines. No torch here."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from vall_e.config.validators import positive


@frozen
class LocalEngineConfig:
    """Device and precision are `training.device` and `training.precision`."""

    shard: Literal["none", "full"] = "none"
    """`none`: each process has the whole model (DDP). `full`: weights, gradients and optimizer
    state are divided among the processes (FSDP2). No effect with one process."""
    timeout_seconds: float = field(default=600.0, validator=positive)
    """How long a process waits for the others before the run ends."""
