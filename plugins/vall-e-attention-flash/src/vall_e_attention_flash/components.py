"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from vall_e.plugin import AttentionKernel, Component, hookimpl
from vall_e_attention_flash.options import FlashAttnConfig

vall_e_hook_api = (1, 0)


def build_flash_attn(config: FlashAttnConfig) -> AttentionKernel:
    from vall_e_attention_flash.flash import FlashAttn, package

    return FlashAttn(package())


@hookimpl
def vall_e_register_attentions() -> list[Component[FlashAttnConfig]]:
    return [
        Component(
            name="flash-attn",
            config=FlashAttnConfig,
            build=build_flash_attn,
            summary="the package flash-attn, 2.x or 1.x (CUDA, fp16 or bf16): padding, dropout",
            paper="https://arxiv.org/abs/2307.08691",
        )
    ]
