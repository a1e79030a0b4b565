"""Options of the built-in backbones and attention kernels. No torch here."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators

from vall_e.plugin import ConfigError

_positive = validators.gt(0)


@frozen
class LlamaConfig:
    d_model: int = field(default=256, validator=_positive)
    """Width of the residual stream."""
    layers: int = field(default=6, validator=_positive)
    heads: int = field(default=4, validator=_positive)
    """Query heads; `d_model` must be a multiple, with an even quotient."""
    kv_heads: int = field(default=0, validator=validators.ge(0))
    """Key/value heads, each shared by heads / kv_heads query heads; 0: as many as `heads`."""
    d_ff: int = field(default=0, validator=validators.ge(0))
    """Width inside the feed-forward layer; 0: 8/3 of d_model, rounded up to a multiple of 32."""
    activation: Literal["silu", "gelu"] = "silu"
    """Activation of the gate: SwiGLU, or GEGLU as in some older checkpoints."""
    rope_theta: float = field(default=10_000.0, validator=validators.gt(0.0))
    """Base of the rotary position angles."""
    rope_scaling: Literal["none", "linear", "ntk"] = "none"
    """For sequences longer than in training, by `rope_factor`: `linear` divides positions by
    it (Chen et al. 2023, https://arxiv.org/abs/2306.15595); `ntk` raises the base instead, which
    stretches the slowest angle and keeps the fastest."""
    rope_factor: float = field(default=1.0, validator=validators.ge(1.0))
    """How much longer sequences may be; requires `rope_scaling`."""
    norm_eps: float = field(default=1e-6, validator=validators.gt(0.0))
    dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Dropout of the attention weights, in training."""
    checkpointing: bool = False
    """Recompute each layer in the backward pass: less memory, about a third more time."""

    def __attrs_post_init__(self) -> None:
        pair = 2 * self.heads
        name = type(self).__name__.removesuffix("Config").lower()
        if self.d_model % pair:
            raise ConfigError(
                f"{name}: d_model ({self.d_model}) must be a multiple of 2 x heads ({self.heads})",
                hint=f"try d_model: {-(-self.d_model // pair) * pair}",
            )
        if self.kv_heads and self.heads % self.kv_heads:
            raise ConfigError(
                f"{name}: heads ({self.heads}) must be a multiple of kv_heads ({self.kv_heads})",
                hint="set kv_heads: 0 for as many as heads",
            )
        if (self.rope_scaling == "none") != (self.rope_factor == 1.0):
            raise ConfigError(
                f"{name}: rope_scaling ({self.rope_scaling}) and rope_factor ({self.rope_factor}) "
                "must be set together",
                hint="set both, for example rope_scaling: ntk and rope_factor: 2.0, or neither",
            )
        if self.rope_scaling == "ntk" and self.d_model == pair:
            raise ConfigError(
                f"{name}: rope_scaling ntk needs heads of 4 or more channels, got 2",
                hint="use fewer heads, or rope_scaling: linear",
            )


@frozen
class MixtralConfig(LlamaConfig):
    experts: int = field(default=8, validator=_positive)
    """Number of parallel feed-forward layers (experts) in each layer."""
    experts_per_token: int = field(default=2, validator=_positive)
    """Number of experts for each position, selected by the router."""
    router_loss: float = field(default=0.01, validator=validators.ge(0.0))
    """Weight of the load-balancing loss, which is 1 if positions are spread evenly."""

    def __attrs_post_init__(self) -> None:
        LlamaConfig.__attrs_post_init__(self)  # attrs creates a new class: no super()
        if self.experts_per_token > self.experts:
            raise ConfigError(
                f"mixtral: experts_per_token ({self.experts_per_token}) exceeds the number of "
                f"experts ({self.experts})",
                hint=f"set experts_per_token: {self.experts}, or more experts",
            )


@frozen
class TransformerConfig:
    d_model: int = field(default=256, validator=_positive)
    """Width of the residual stream."""
    layers: int = field(default=6, validator=_positive)
    heads: int = field(default=4, validator=_positive)
    """Attention heads; `d_model` must be a multiple of twice their number."""
    d_ff: int = field(default=0, validator=validators.ge(0))
    """Width inside the feed-forward layer; 0: four times d_model."""
    activation: Literal["gelu", "relu"] = "gelu"
    """Activation of the feed-forward layer."""
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"
    """Position vectors added to the input: sines and cosines, or a learned table."""
    max_positions: int = field(default=4096, validator=_positive)
    """Size of the learned table; `sinusoidal` has no limit."""
    norm_eps: float = field(default=1e-5, validator=validators.gt(0.0))
    dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Dropout of the attention weights and of each layer's output, in training."""
    checkpointing: bool = False
    """Recompute each layer in the backward pass: less memory, about a third more time."""

    def __attrs_post_init__(self) -> None:
        pair = 2 * self.heads
        if self.d_model % pair:
            raise ConfigError(
                f"transformer: d_model ({self.d_model}) must be a multiple of 2 x heads "
                f"({self.heads})",
                hint=f"try d_model: {-(-self.d_model // pair) * pair}",
            )


@frozen
class NoOptions:
    """A kernel without options."""


@frozen
class DefaultConfig:
    """Options of `default`."""

    keep: int = field(default=0, validator=validators.ge(0))
    """Keep the attention weights of this many calls in the kernel's `kept`, the newest last. With
    the number of layers: one map (b, h, t, u) for each layer of the last pass."""


@frozen
class FlexConfig:
    """Options of `flex`."""

    compile: bool = True
    """Without it the kernel is not fused: no compilation at the first call, but slow, and without
    gradients, on a GPU too. For debugging. On a CPU nothing is compiled either way."""
