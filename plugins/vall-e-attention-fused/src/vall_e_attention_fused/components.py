"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from vall_e.plugin import AttentionKernel, Component, hookimpl
from vall_e_attention_fused.options import FusedConfig

vall_e_hook_api = (1, 0)


def build_fused(config: FusedConfig) -> AttentionKernel:
    from vall_e_attention_fused.fused import Fused

    return Fused()


@hookimpl
def vall_e_register_attentions() -> list[Component[FusedConfig]]:
    return [
        Component(
            name="fused",
            aliases=("fused-attn",),  # in e-c-k-e-r/vall-e
            config=FusedConfig,
            build=build_fused,
            summary="our own in Triton (CUDA): any mask, grouped queries; skips masked tiles",
            paper="https://arxiv.org/abs/2307.08691",
        )
    ]
