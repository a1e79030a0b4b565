"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from typing import Any

from vall_e.plugin import AttentionKernel, Backbone, Component, hookimpl
from vall_e_backbone_retnet.options import RetNetConfig

vall_e_hook_api = (1, 0)

PAPER = "https://arxiv.org/abs/2307.08621"


def build_retnet(config: RetNetConfig, *, attention: AttentionKernel) -> Backbone:
    """Retention replaces attention: the kernel is not used."""
    from vall_e_backbone_retnet.retnet import RetNet

    return RetNet(config)


def build_torchscale(config: RetNetConfig, *, attention: AttentionKernel) -> Backbone:
    """Raises `UnavailableError` if torchscale cannot be imported."""
    from vall_e_backbone_retnet.torchscale import TorchscaleRetNet

    return TorchscaleRetNet(config)


@hookimpl
def vall_e_register_backbones() -> list[Component[Any]]:
    return [
        Component(
            name="retnet-hf",
            config=RetNetConfig,
            build=build_retnet,
            summary="RetNet in plain torch; constant memory per decoded frame; causal only",
            paper=PAPER,
        ),
        Component(
            name="retnet",
            config=RetNetConfig,
            build=build_torchscale,
            summary="the same weights trained by Microsoft's torchscale, which must be installed",
            paper=PAPER,
        ),
    ]
