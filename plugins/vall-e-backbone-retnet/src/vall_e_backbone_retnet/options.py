"""Options of the RetNet backbones. No torch here."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators

from vall_e.plugin import ConfigError

_positive = validators.gt(0)


@frozen
class RetNetConfig:
    """Options of `retnet-hf`, and of `retnet`."""

    d_model: int = field(default=256, validator=_positive)
    """Width of the residual stream."""
    layers: int = field(default=6, validator=_positive)
    heads: int = field(default=4, validator=_positive)
    """Number of heads, each with its own decay. `d_model` must be a multiple of twice it."""
    value_factor: int = field(default=2, validator=_positive)
    """Width of the values, as a multiple of `d_model`."""
    d_ff: int = field(default=0, validator=validators.ge(0))
    """Width inside the feed-forward layer; 0: 4/3 of d_model, rounded up to a multiple of 32."""
    activation: Literal["gelu", "silu"] = "gelu"
    """Activation of the gate in the feed-forward layer."""
    norm_eps: float = field(default=1e-6, validator=validators.gt(0.0))
    dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Dropout of each layer's output, in training."""
    chunk: int = field(default=0, validator=validators.ge(0))
    """Positions that are computed in parallel: memory for a long sequence then grows with its
    length, not with its square. 0: all of them."""
    checkpointing: bool = False
    """Recompute each layer in the backward pass: less memory, about a third more time."""
    experts: int = field(default=1, validator=_positive)
    """Number of parallel feed-forward layers (experts), selected by a router. 1: no router."""
    experts_per_token: int = field(default=2, validator=_positive)
    """Number of experts for each position, if there are several."""
    router_loss: float = field(default=0.01, validator=validators.ge(0.0))
    """Weight of the load-balancing loss, which is 1 if positions are spread evenly."""

    def __attrs_post_init__(self) -> None:
        pair = 2 * self.heads
        if self.d_model % pair:
            raise ConfigError(
                f"retnet: d_model ({self.d_model}) must be a multiple of 2 x heads ({self.heads})",
                hint=f"try d_model: {-(-self.d_model // pair) * pair}",
            )
        if self.experts > 1 and self.experts_per_token > self.experts:
            raise ConfigError(
                f"retnet: experts_per_token ({self.experts_per_token}) exceeds the number of "
                f"experts ({self.experts})",
                hint=f"set experts_per_token: {self.experts}",
            )

    @property
    def inner_width(self) -> int:
        """Width of the feed-forward layer."""
        return self.d_ff or -(-self.d_model * 4 // 96) * 32
