"""LoRAs of e-c-k-e-r/vall-e, in files of their own: `.sft`, `.safetensors` or `.pth`.

A weight W (out, in) has `lora_A` (rank, in) and `lora_B` (out, rank), named as in that project:
`model.layers.0.mlp.up_proj.lora_A`. The other variant calls them
`....parametrizations.weight.0.lora_A`, with the names swapped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from vall_e.errors import CheckpointError
from vall_e.model.lora import Terms
from vall_e.weights.ecker_names import TensorNames, named_by

ECKER_SUFFIX = ".lora.sft"
_NAMED = re.compile(r"(?P<place>.+?)(\.parametrizations\.weight\.0)?\.lora_(?P<part>[AB])")
_OURS = "backbone."
_THEIRS = "model."
_FOLDER = re.compile(r".*-r\d+-a(?P<alpha>\d+)")
"""Where training saves a LoRA: `ckpt/NAME-rRANK-aALPHA/lora.sft`."""


def holds_ecker_lora(names: Iterable[str]) -> bool:
    """Whether these are the names of such tensors."""
    return any(_NAMED.fullmatch(name) for name in names)


def read_terms(config: Mapping[str, Any], tensors: Mapping[str, Tensor], path: Path) -> Terms:
    """From the config in the file, or else from the tensors and the folder's name."""
    rank = config.get("rank") or min(min(tensor.shape) for tensor in tensors.values())
    folder = next((m for part in path.parts if (m := _FOLDER.fullmatch(part))), None)
    alpha = config.get("alpha") or (folder and folder["alpha"])
    if not alpha:
        raise CheckpointError(
            f"{path} does not state its alpha, by which a LoRA is scaled",
            hint="put it in a folder named as in training, for example me-r128-a128",
        )
    return Terms(int(rank), float(alpha), levels=tuple(config.get("rvq_levels") or ()))


def translate_lora(tensors: Mapping[str, Tensor], rank: int, path: Path) -> dict[str, Tensor]:
    """The tensors under our names: `backbone.layers.0.mlp.up_proj.lora_a` and `.lora_b`."""
    found: dict[str, Tensor] = {}
    foreign = []
    for name, tensor in tensors.items():
        match = _NAMED.fullmatch(name)
        if match is None or not match["place"].startswith(_THEIRS):
            foreign.append(name)
            continue
        inner = tensor.shape[0] == rank
        if tensor.shape[0] == tensor.shape[-1]:  # a square matrix: the name decides
            inner = (match["part"] == "A") != bool(match[2])
        found[named_by(f"{match['place']}.{'lora_a' if inner else 'lora_b'}")] = tensor
    if foreign:
        raise CheckpointError(
            f"{path} adapts layers that cannot be adapted here: {', '.join(sorted(foreign))}",
            hint="use a LoRA of only the backbone (embeddings: False)",
        )
    return found


def translate_lora_back(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names of e-c-k-e-r; `CheckpointError` if it has no names for them."""
    foreign = [name for name in tensors if not name.startswith(_OURS)]
    if foreign:
        raise CheckpointError(
            f"e-c-k-e-r/vall-e cannot adapt {', '.join(sorted(foreign)[:3])}",
            hint="train the LoRA without `embeddings`, or export --to lora",
        )
    return {
        TensorNames().called(name).replace("lora_a", "lora_A").replace("lora_b", "lora_B"): tensor
        for name, tensor in tensors.items()
    }


def terms_back(terms: Terms) -> dict[str, Any]:
    """The config required by its loader."""
    return {
        "name": "lora",
        "rank": terms.rank,
        "alpha": int(terms.alpha) if float(terms.alpha).is_integer() else terms.alpha,
        "training": True,
        "embeddings": False,
        "parametrize": False,
        "rvq_levels": list(terms.levels),
    }
