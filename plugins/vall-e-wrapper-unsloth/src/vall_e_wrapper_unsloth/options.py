"""Options of Unsloth's gradient checkpointing. No torch here."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class UnslothConfig:
    """Options of `unsloth`."""

    layers: str = field(default="layers", validator=validators.min_len(1))
    """Name of the backbone's list of layers."""
    every: int = field(default=1, validator=validators.gt(0))
    """One of this many layers is recomputed; fewer layers cost less time and more memory."""
