"""Tensor names in the package `dac` and in transformers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

NORMS = (
    (".weight_g", ".weight_v"),
    (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
)
"""Length and direction of a weight, where a file holds the two apart."""
UNIT = {"0": "snake1", "1": "conv1", "2": "snake2", "3": "conv2"}
BLOCKS = 4
"""Of encoder and decoder."""


def folded(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With one tensor for each weight that is stored as a length and a direction."""
    found = dict(state)
    for length_end, direction_end in NORMS:
        for name in [name for name in state if name.endswith(length_end)]:
            stem = name.removesuffix(length_end)
            length, direction = found.pop(name), found.pop(stem + direction_end)
            found[stem + ".weight"] = direction * (length / _lengths(direction))
    return found


def split(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Length and direction of a weight, the inverse of `folded`."""
    return _lengths(weight), weight


def canonical(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With the names of transformers, from either project's names."""
    return {_canonical(name): tensor for name, tensor in folded(state).items()}


def _lengths(weight: Tensor) -> Tensor:
    lengths: Tensor = weight.flatten(1).norm(dim=1).view(-1, *(1,) * (weight.ndim - 1))
    return lengths


def _canonical(name: str) -> str:
    for pattern, place in RULES:
        found = re.fullmatch(pattern, name)
        if found:
            return place(found)
    return name


def _in_encoder(found: re.Match[str]) -> str:
    """A layer of a residual unit of the encoder."""
    block, unit, layer, rest = found.groups()
    return f"encoder.block.{int(block) - 1}.res_unit{int(unit) + 1}.{UNIT[layer]}.{rest}"


def _in_decoder(found: re.Match[str]) -> str:
    block, unit, layer, rest = found.groups()
    return f"decoder.block.{int(block) - 1}.res_unit{int(unit) - 1}.{UNIT[layer]}.{rest}"


def _end_of_block(found: re.Match[str]) -> str:
    block, layer, rest = found.groups()
    return f"encoder.block.{int(block) - 1}.{'snake1' if layer == '3' else 'conv1'}.{rest}"


def _start_of_block(found: re.Match[str]) -> str:
    block, layer, rest = found.groups()
    return f"decoder.block.{int(block) - 1}.{'snake1' if layer == '0' else 'conv_t1'}.{rest}"


def _outside(found: re.Match[str]) -> str:
    half, layer, rest = found.groups()
    half = half.partition(".")[0]
    names = {0: "conv1", BLOCKS + 1: "snake1", BLOCKS + 2: "conv2"}
    return f"{half}.{names[int(layer)]}.{rest}"


RULES = (
    (r"encoder\.block\.([1-4])\.block\.([0-2])\.block\.([0-3])\.(.+)", _in_encoder),
    (r"encoder\.block\.([1-4])\.block\.([34])\.(alpha|weight|bias)", _end_of_block),
    (r"decoder\.model\.([1-4])\.block\.([2-4])\.block\.([0-3])\.(.+)", _in_decoder),
    (r"decoder\.model\.([1-4])\.block\.([01])\.(alpha|weight|bias)", _start_of_block),
    (r"(encoder\.block|decoder\.model)\.([056])\.(alpha|weight|bias)", _outside),
)
