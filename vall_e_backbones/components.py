"""Built-in backbones and attention kernels. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from vall_e.plugin import AttentionKernel, Backbone, Component, hookimpl
from vall_e_backbones.options import (
    DefaultConfig,
    FlexConfig,
    LlamaConfig,
    MixtralConfig,
    NoOptions,
    TransformerConfig,
)

vall_e_hook_api = (1, 0)


def build_mixtral(config: MixtralConfig, *, attention: AttentionKernel) -> Backbone:
    from vall_e_backbones.mixtral import Mixtral

    return Mixtral(config, attention=attention)


def build_transformer(config: TransformerConfig, *, attention: AttentionKernel) -> Backbone:
    from vall_e_backbones.transformer import Transformer

    return Transformer(config, attention=attention)


def build_llama(config: LlamaConfig, *, attention: AttentionKernel) -> Backbone:
    from vall_e_backbones.llama import Llama

    return Llama(config, attention=attention)


def build_default(config: DefaultConfig) -> AttentionKernel:
    from vall_e_backbones.default_kernel import Default

    return Default(config)


def build_flex(config: FlexConfig) -> AttentionKernel:
    from vall_e_backbones.flex import Flex

    return Flex(config)


def build_flash_attention_2(config: NoOptions) -> AttentionKernel:
    from vall_e_backbones.flash_attention_2 import FlashAttention2, integration

    return FlashAttention2(integration())


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
        ),
        Component(
            name="mixtral",
            config=MixtralConfig,
            build=build_mixtral,
            summary="llama with several feed-forward layers (experts), two of them per position",
            paper="https://arxiv.org/abs/2401.04088",
        ),
        Component(
            name="transformer",
            config=TransformerConfig,
            build=build_transformer,
            summary="plain pre-norm transformer with sinusoidal or learned positions",
            paper="https://arxiv.org/abs/1706.03762",
        ),
    ]


FLASH = "https://arxiv.org/abs/2205.14135"
WITH_OPTIONS: tuple[Component[Any], ...] = (
    Component(
        name="default",
        config=DefaultConfig,
        build=build_default,
        summary="step-by-step matrix products in fp32; can keep the weights, for debugging",
    ),
    Component(
        name="flex",
        config=FlexConfig,
        build=build_flex,
        summary="PyTorch's flex_attention, compiled: skips masked tiles",
        paper="https://arxiv.org/abs/2412.05496",
    ),
)
WITHOUT_OPTIONS: tuple[tuple[str, Callable[[NoOptions], AttentionKernel], str, str], ...] = (
    ("auto", build_auto, "the fastest of the kernels below that supports the case", ""),
    ("eager", build_eager, "plain matrix products and a softmax, as a reference", ""),
    ("sdpa", partial(build_sdpa, "sdpa"), "PyTorch's choice among its own kernels", ""),
    ("math", partial(build_sdpa, "math"), "PyTorch's kernel of matrix products", ""),
    (
        "mem-efficient",
        partial(build_sdpa, "mem-efficient"),
        "PyTorch's memory-efficient kernel (CUDA)",
        FLASH,
    ),
    (
        "flash",
        partial(build_sdpa, "flash"),
        "PyTorch's flash attention (CUDA, and CPU without dropout)",
        FLASH,
    ),
    ("cudnn", partial(build_sdpa, "cudnn"), "cuDNN's attention (CUDA)", ""),
    (
        "flash-attention-2",
        build_flash_attention_2,
        "the package flash-attn through transformers (CUDA, fp16 or bf16)",
        "https://arxiv.org/abs/2307.08691",
    ),
)
"""Name, builder, summary and paper."""
ALIASES = {"flash": ("flash-sdpa",)}
"""Names in e-c-k-e-r/vall-e."""


@hookimpl
def vall_e_register_attentions() -> list[Component[Any]]:
    plain = (
        Component(
            name=name,
            config=NoOptions,
            build=build,
            summary=summary,
            paper=paper,
            aliases=ALIASES.get(name, ()),
        )
        for name, build, summary, paper in WITHOUT_OPTIONS
    )
    return [*WITH_OPTIONS, *plain]
