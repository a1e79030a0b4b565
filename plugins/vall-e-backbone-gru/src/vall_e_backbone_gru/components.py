"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from vall_e.plugin import AttentionKernel, Backbone, Component, Trial, hookimpl
from vall_e_backbone_gru.options import GruConfig

vall_e_hook_api = (1, 1)


def build_gru(config: GruConfig, *, attention: AttentionKernel) -> Backbone:
    """A GRU has no attention: the kernel is not used."""
    from vall_e_backbone_gru.gru import Gru

    return Gru(config)


@hookimpl
def vall_e_register_backbones() -> list[Component[GruConfig]]:
    return [
        Component(
            name="gru",
            config=GruConfig,
            build=build_gru,
            summary="stacked GRU; constant memory per decoded frame; causal only",
            paper="https://arxiv.org/abs/1406.1078",
            trial=Trial(facts={"uses_positions": False}),  # positions are implied by the order
        )
    ]
