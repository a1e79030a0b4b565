"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from vall_e.plugin import (
    AttentionKernel,
    Backbone,
    Component,
    Exporter,
    Trial,
    hookimpl,
)
from vall_e_backbone_bitnet.options import BitNetConfig, PackedConfig, TernaryConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

vall_e_hook_api = (1, 1)

PAPER = "https://arxiv.org/abs/2402.17764"
SMALL = {"name": "bitnet", "d_model": 32, "layers": 2, "heads": 2}


def build_bitnet(config: BitNetConfig, *, attention: AttentionKernel) -> Backbone:
    """Raises `UnavailableError` if a package that `linear` needs cannot be imported."""
    from vall_e_backbone_bitnet.bitnet import bitnet

    return bitnet(config, attention=attention)


def build_exporter(config: PackedConfig) -> Exporter:
    """Writes packed weights."""
    from vall_e_backbone_bitnet.exporter import PackedExporter

    return PackedExporter()


def build_ternary(config: TernaryConfig) -> Callable[[torch.nn.Module], torch.nn.Module]:
    from vall_e_backbone_bitnet.ternary import ternary

    return partial(ternary, strength=config.strength, include=config.include)


@hookimpl
def vall_e_register_wrappers() -> list[Component[TernaryConfig]]:
    return [
        Component(
            name="bitnet",
            config=TernaryConfig,
            build=build_ternary,
            summary="trains the linear layers of any backbone with weights -1, 0 and 1",
            used_in="training",
            trial=Trial(options={"strength": 0.0}),
            paper=PAPER,
        )
    ]


@hookimpl
def vall_e_register_backbones() -> list[Component[BitNetConfig]]:
    return [
        Component(
            name="bitnet",
            config=BitNetConfig,
            build=build_bitnet,
            summary="llama with weights of -1, 0 and 1 (1.58 bits), and 8-bit inputs",
            paper=PAPER,
        )
    ]


@hookimpl
def vall_e_register_exporters() -> list[Component[PackedConfig]]:
    return [
        Component(
            name="bitnet",
            config=PackedConfig,
            build=build_exporter,
            summary="a bitnet model with two bits per weight, which `-m` can load",
            paper=PAPER,
            trial=Trial(facts={"sections": {"model": {"backbone": SMALL}}}),
        )
    ]
