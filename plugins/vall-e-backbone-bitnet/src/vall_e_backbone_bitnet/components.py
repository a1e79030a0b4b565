"""What this plugin offers. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from attrs import field, frozen, validators

from vall_e.plugin import (
    AttentionKernel,
    Backbone,
    Component,
    ConfigError,
    Exporter,
    Trial,
    hookimpl,
)
from vall_e_backbones.components import LlamaConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

vall_e_hook_api = (1, 1)

PAPER = "https://arxiv.org/abs/2402.17764"
SMALL = {"name": "bitnet", "d_model": 32, "layers": 2, "heads": 2}


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


@frozen
class TernaryConfig:
    """Options of the wrapper `bitnet`."""

    strength: float = field(default=1.0, validator=[validators.ge(0), validators.le(1)])
    """How far weights are rounded: 0 not at all, 1 to -1, 0 and 1 times one number."""
    include: tuple[str, ...] = field(default=("*",), validator=validators.min_len(1))
    """Patterns of linear layers of the backbone, like `layers.*.mlp.*`."""


def build_bitnet(config: BitNetConfig, *, attention: AttentionKernel) -> Backbone:
    """Raises `UnavailableError` where a package that `linear` asks for cannot be imported."""
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
            summary="trains any backbone with linear layers of weights -1, 0 and 1",
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
            trial=Trial(facts={"sections": {"model": {"backbone": SMALL}}}),
        )
    ]
