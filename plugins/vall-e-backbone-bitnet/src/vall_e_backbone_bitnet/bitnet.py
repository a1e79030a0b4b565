"""The llama of vall-e with other linear layers."""

from collections.abc import Callable
from importlib import import_module

from torch import nn

from vall_e.plugin import AttentionKernel, UnavailableError
from vall_e_backbone_bitnet.linear import BitLinear, PackedLinear
from vall_e_backbone_bitnet.options import BitNetConfig
from vall_e_backbones.llama import Llama

Change = Callable[[nn.Linear], nn.Module]


class BitNet(Llama):
    """Its layers are llama's, under the same names."""

    lora_targets: tuple[
        str, ...
    ] = ()  # an adapter would be added to weights that are never quantized

    def __init__(self, config: BitNetConfig, *, attention: AttentionKernel, change: Change) -> None:
        super().__init__(config, attention=attention)
        replace(self, change)


def bitnet(config: BitNetConfig, *, attention: AttentionKernel) -> BitNet:
    """The backbone of this config."""
    if config.packed:
        return BitNet(config, attention=attention, change=empty)
    change = ternary if config.linear == "absmean" else by_package()
    return BitNet(config, attention=attention, change=change)


def ternary(layer: nn.Linear) -> BitLinear:
    """A layer that trains from these weights on."""
    made = BitLinear(layer.in_features, layer.out_features)
    made.weight = layer.weight
    return made


def empty(layer: nn.Linear) -> PackedLinear:
    """A layer to load packed weights into."""
    return PackedLinear(layer.in_features, layer.out_features)


def by_package(name: str = "bitnet") -> Change:
    """Layers of the package https://github.com/kyegomez/BitNet, by its class `BitLinear`."""
    try:
        kind: type[nn.Linear] = import_module(name).BitLinear
    except Exception as exc:  # its dependencies fail with all kinds of exceptions
        raise UnavailableError(
            f"the package bitnet cannot be imported here: {exc}",
            hint="set model.backbone.linear: absmean, which needs no package",
        ) from exc

    def change(layer: nn.Linear) -> nn.Module:
        made = kind(layer.in_features, layer.out_features, bias=False)
        made.weight = layer.weight
        return made

    return change


def replace(module: nn.Module, change: Change) -> None:
    """Replace each linear layer; `BitLinear`s are replaced by packed ones too."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear):
            setattr(module, name, change(child))
        else:
            replace(child, change)
