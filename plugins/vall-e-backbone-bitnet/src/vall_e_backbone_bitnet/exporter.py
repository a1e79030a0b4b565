"""Writes a bitnet model with two bits per weight."""

from copy import deepcopy
from pathlib import Path

from attrs import evolve
from torch import nn

from vall_e.plugin import Bundle, CheckpointError
from vall_e_backbone_bitnet.bitnet import BitNet, replace
from vall_e_backbone_bitnet.linear import BitLinear, PackedLinear


class PackedExporter:
    """A file of vall-e's own format, whose config says `packed: true`."""

    suffix = ".safetensors"

    def __call__(self, bundle: Bundle, path: Path) -> None:
        packed(bundle).save(path)


def packed(bundle: Bundle) -> Bundle:
    """The same model with packed layers. Raises `CheckpointError` if it is not a bitnet model."""
    choice = bundle.config.model.backbone
    model = deepcopy(bundle.model)
    if not isinstance(model.backbone, BitNet) or choice.options.linear != "absmean":
        raise CheckpointError(
            f"the backbone {choice.name} does not have two-bit weights",
            hint="export with --to safetensors, or train a model with `backbone: bitnet`",
        )
    if not choice.options.packed:
        replace(model.backbone, _packed_layer)
    options = evolve(choice.options, packed=True)
    section = evolve(bundle.config.model, backbone=evolve(choice, options=options))
    return evolve(bundle, model=model, config=evolve(bundle.config, model=section))


def _packed_layer(layer: nn.Linear) -> nn.Module:
    return PackedLinear.of(layer) if isinstance(layer, BitLinear) else layer
