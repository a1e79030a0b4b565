"""What this plugin offers. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from vall_e.plugin import (
    AttentionKernel,
    Backbone,
    Component,
    ConfigError,
    Exporter,
    hookimpl,
)
from vall_e_backbones.components import LlamaConfig

vall_e_hook_api = (1, 0)

PAPER = "https://arxiv.org/abs/2402.17764"


@frozen
class BitNetConfig(LlamaConfig):
    """Options of `bitnet`: those of `llama`, and what its linear layers are."""

    linear: Literal["absmean", "package"] = "absmean"
    """Weights of -1, 0 and 1 as in the paper; or the layers of the package `bitnet`."""
    packed: bool = False
    """Hold two bits a weight, as the exporter `bitnet` writes it. Such a model does not learn."""

    def __attrs_post_init__(self) -> None:
        LlamaConfig.__attrs_post_init__(self)  # attrs makes the class anew: no super()
        if self.packed and self.linear == "package":
            raise ConfigError(
                "bitnet: the layers of the package bitnet cannot be packed",
                hint="set packed: false, or linear: absmean",
            )


@frozen
class PackedConfig:
    """No options."""


def build_bitnet(config: BitNetConfig, *, attention: AttentionKernel) -> Backbone:
    """Raises `UnavailableError` where a package that `linear` asks for cannot be imported."""
    from vall_e_backbone_bitnet.bitnet import bitnet

    return bitnet(config, attention=attention)


def build_exporter(config: PackedConfig) -> Exporter:
    """Writes packed weights."""
    from vall_e_backbone_bitnet.exporter import PackedExporter

    return PackedExporter()


@hookimpl
def vall_e_register_backbones() -> list[Component[BitNetConfig]]:
    return [
        Component(
            name="bitnet",
            config=BitNetConfig,
            build=build_bitnet,
            summary="llama with weights of -1, 0 and 1 (1.58 bits), and inputs of 8 bits",
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
            summary="a bitnet model with two bits a weight, which `-m` takes",
            paper=PAPER,
        )
    ]
