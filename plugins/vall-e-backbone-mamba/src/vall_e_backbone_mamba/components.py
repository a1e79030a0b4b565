"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from typing import Any

from vall_e.plugin import AttentionKernel, Backbone, Component, Trial, hookimpl
from vall_e_backbone_mamba.options import Mamba2Config, MambaConfig

vall_e_hook_api = (1, 1)


def build_mamba(config: MambaConfig, *, attention: AttentionKernel) -> Backbone:
    """A Mamba has no attention: the kernel is not used."""
    from vall_e_backbone_mamba.mamba import mamba

    return mamba(config)


def build_mamba2(config: Mamba2Config, *, attention: AttentionKernel) -> Backbone:
    """A Mamba has no attention: the kernel is not used."""
    from vall_e_backbone_mamba.mamba import mamba2

    return mamba2(config)


@hookimpl
def vall_e_register_backbones() -> list[Component[Any]]:
    return [
        Component(
            name="mamba",
            config=MambaConfig,
            build=build_mamba,
            summary="selective state spaces; constant memory per decoded frame; causal only",
            paper="https://arxiv.org/abs/2312.00752",
            trial=Trial(facts={"uses_positions": False}),
        ),
        Component(
            name="mamba2",
            config=Mamba2Config,
            build=build_mamba2,
            summary="the same with heads: faster to train, with a larger state",
            paper="https://arxiv.org/abs/2405.21060",
            trial=Trial(options={"head_size": 16}, facts={"uses_positions": False}),
        ),
    ]
