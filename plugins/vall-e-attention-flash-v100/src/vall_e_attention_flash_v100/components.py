"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from vall_e.plugin import AttentionKernel, Component, hookimpl
from vall_e_attention_flash_v100.options import FlashV100Config

vall_e_hook_api = (1, 0)


def build_flash_v100(config: FlashV100Config) -> AttentionKernel:
    from vall_e_attention_flash_v100.flash_v100 import FlashV100, package

    return FlashV100(package())


@hookimpl
def vall_e_register_attentions() -> list[Component[FlashV100Config]]:
    return [
        Component(
            name="flash-v100",
            aliases=("flash-attn-v100",),  # in e-c-k-e-r/vall-e
            config=FlashV100Config,
            build=build_flash_v100,
            summary="flash attention on Volta GPUs (CUDA, fp16): padding, dropout",
            paper="https://arxiv.org/abs/2307.08691",
        )
    ]
