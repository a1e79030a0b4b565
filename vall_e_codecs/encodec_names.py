"""Tensor names in the package `encodec` and in transformers."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

NAMES = (
    ("quantizer.vq.layers.", "quantizer.layers."),
    ("._codebook.", ".codebook."),
    ("encoder.model.", "encoder.layers."),
    ("decoder.model.", "decoder.layers."),
    (".convtr.convtr.", ".conv."),
    (".convtr.norm.", ".norm."),
    (".conv.conv.", ".conv."),
    (".conv.norm.", ".norm."),
    (".weight_g", ".parametrizations.weight.original0"),
    (".weight_v", ".parametrizations.weight.original1"),
)
"""Parts of names in the package, and in transformers."""
UPSAMPLING = (3, 6, 9, 12)
"""The decoder's layers that are transposed convolutions."""


def canonical(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With the names of transformers, from either project's names."""
    renamed = {}
    for name, tensor in state.items():
        for theirs, ours in NAMES:
            name = name.replace(theirs, ours)
        renamed[name] = tensor
    return renamed


def reference_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With the names of the package `encodec`, from canonical ones."""
    return {_reference_name(name): tensor for name, tensor in state.items()}


def _reference_name(name: str) -> str:
    """Undo `NAMES`."""
    if name.startswith("quantizer."):
        return name.replace("quantizer.layers.", "quantizer.vq.layers.").replace(
            ".codebook.", "._codebook."
        )
    half, _, rest = name.partition(".layers.")
    name = f"{half}.model.{rest}"
    name = name.replace(".parametrizations.weight.original0", ".weight_g")
    name = name.replace(".parametrizations.weight.original1", ".weight_v")
    index, part, *_ = rest.split(".")
    wrap = "conv"
    if half == "decoder" and int(index) in UPSAMPLING and part in ("conv", "norm"):
        wrap = "convtr"
    return name.replace(".conv.", f".{wrap}.{wrap}.").replace(".norm.", f".{wrap}.norm.")
