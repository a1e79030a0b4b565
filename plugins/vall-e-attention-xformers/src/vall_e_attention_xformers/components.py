"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from vall_e.plugin import AttentionKernel, Component, hookimpl
from vall_e_attention_xformers.options import XformersConfig

vall_e_hook_api = (1, 0)


def build_xformers(config: XformersConfig) -> AttentionKernel:
    from vall_e_attention_xformers.xformers import Xformers, package

    return Xformers(package())


@hookimpl
def vall_e_register_attentions() -> list[Component[XformersConfig]]:
    return [
        Component(
            name="xformers",
            config=XformersConfig,
            build=build_xformers,
            summary="xFormers' memory-efficient attention (CUDA): any mask, dropout",
            paper="https://arxiv.org/abs/2112.05682",
        )
    ]
