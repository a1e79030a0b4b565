"""Options of the GRU backbone. No torch here."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class GruConfig:
    """Options of `gru`."""

    d_model: int = field(default=512, validator=validators.gt(0))
    """Width of the input and output vectors, and of each layer's state."""
    layers: int = field(default=4, validator=validators.gt(0))
    checkpointing: bool = False
    """Recompute the layers in the backward pass: less memory until then, more time."""
