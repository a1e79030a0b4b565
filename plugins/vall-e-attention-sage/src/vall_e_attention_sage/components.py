"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from vall_e.plugin import AttentionKernel, Component, hookimpl
from vall_e_attention_sage.options import SageConfig

vall_e_hook_api = (1, 0)


def build_sage(config: SageConfig) -> AttentionKernel:
    from vall_e_attention_sage.sage import Sage, package

    return Sage(package())


@hookimpl
def vall_e_register_attentions() -> list[Component[SageConfig]]:
    return [
        Component(
            name="sage",
            aliases=("sageattn",),  # in e-c-k-e-r/vall-e
            config=SageConfig,
            build=build_sage,
            summary="SageAttention (CUDA, fp16 or bf16): scores in 8 bits, for inference",
            paper="https://arxiv.org/abs/2410.02367",
        )
    ]
