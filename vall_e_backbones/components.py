"""Backbones and attention kernels that ship with VALL-E. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from attrs import field, frozen, validators

from vall_e.plugin import AttentionKernel, Backbone, Component, ConfigError, hookimpl

vall_e_hook_api = (1, 0)

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
    """Of the gate: SwiGLU, or GEGLU as some older checkpoints have it."""
    rope_theta: float = field(default=10_000.0, validator=validators.gt(0.0))
    """Base of the rotary position angles."""
    norm_eps: float = field(default=1e-6, validator=validators.gt(0.0))
    dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Of the attention weights, while training."""
    checkpointing: bool = False
    """Recompute each layer in the backward pass: less memory, about a third more time."""

    def __attrs_post_init__(self) -> None:
        pair = 2 * self.heads
        if self.d_model % pair:
            raise ConfigError(
                f"llama: d_model ({self.d_model}) must be a multiple of 2 x heads ({self.heads})",
                hint=f"try d_model: {-(-self.d_model // pair) * pair}",
            )
        if self.kv_heads and self.heads % self.kv_heads:
            raise ConfigError(
                f"llama: heads ({self.heads}) must be a multiple of kv_heads ({self.kv_heads})",
                hint="set kv_heads: 0 for as many as heads",
            )


def build_llama(config: LlamaConfig, *, attention: AttentionKernel) -> Backbone:
    from vall_e_backbones.llama import Llama

    return Llama(config, attention=attention)


@frozen
class NoOptions:
    """A kernel that has nothing to choose."""


def build_eager(config: NoOptions) -> AttentionKernel:
    from vall_e_backbones.kernels import Eager

    return Eager()


def build_auto(config: NoOptions) -> AttentionKernel:
    from vall_e_backbones.kernels import Auto

    return Auto()


def build_sdpa(backend: str, config: NoOptions) -> AttentionKernel:
    from vall_e_backbones.kernels import Sdpa

    return Sdpa(backend)


@hookimpl
def vall_e_register_backbones() -> list[Component[Any]]:
    return [
        Component(
            name="llama",
            config=LlamaConfig,
            build=build_llama,
            summary="pre-norm transformer with rotary positions and a gated feed-forward layer",
            paper="https://arxiv.org/abs/2302.13971",
        )
    ]


@hookimpl
def vall_e_register_attentions() -> list[Component[Any]]:
    flash = "https://arxiv.org/abs/2205.14135"
    rows: list[tuple[str, Callable[[NoOptions], AttentionKernel], str, str]] = [
        ("auto", build_auto, "the fastest of the kernels below that can run the case at hand", ""),
        ("eager", build_eager, "plain matrix products and a softmax: the one to compare with", ""),
        ("sdpa", partial(build_sdpa, "sdpa"), "PyTorch's choice among its own kernels", ""),
        ("math", partial(build_sdpa, "math"), "PyTorch's kernel of matrix products", ""),
        (
            "mem-efficient",
            partial(build_sdpa, "mem-efficient"),
            "PyTorch's memory-efficient kernel (CUDA)",
            flash,
        ),
        (
            "flash",
            partial(build_sdpa, "flash"),
            "PyTorch's flash attention (CUDA, and CPU without dropout)",
            flash,
        ),
        ("cudnn", partial(build_sdpa, "cudnn"), "cuDNN's attention (CUDA)", ""),
    ]
    return [
        Component(name=name, config=NoOptions, build=build, summary=summary, paper=paper)
        for name, build, summary, paper in rows
    ]
