"""A LoRA as a file of its own: a .safetensors file without the base that it belongs to.

Tensors: `PLACE.lora_a` and `PLACE.lora_b`, where PLACE names a module of the model. Metadata, each
value JSON: `lora` (its terms and the format's version), `base` (the hash of the base's weights),
`statistics` (of its training).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vall_e.errors import CheckpointError
from vall_e.model.lora import OWN, Terms, adapters, attach, is_adapter, terms_of
from vall_e.whole_file import make_folder, written_beside

FORMAT = 1
"""Version of the file's layout. A newer one is refused."""
SUFFIX = ".lora.safetensors"


@frozen(eq=False)
class LoraFile:
    """What the file holds."""

    terms: Terms
    base: str
    statistics: Mapping[str, Any]
    tensors: dict[str, Tensor] = field(repr=False)


def base_hash(model: nn.Module) -> str:
    """Of the weights without adapters, as float32: the same base in memory and in half a file."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if not is_adapter(name):
            digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()


def save_lora(model: nn.Module, path: Path, statistics: Mapping[str, Any]) -> None:
    """Write the adapter that was trained with the model; it appears whole or not at all."""
    terms = terms_of(model)
    if terms is None:
        raise CheckpointError(
            "this model has no LoRA", hint="train one with a wrapper `lora`, or export the model"
        )
    make_folder(path.parent, error=CheckpointError)
    tensors = {
        f"{place}.{name}": tensor.detach().cpu().contiguous()
        for place, adapter in adapters(model).items()
        for name, tensor in adapter.state_dict().items()
    }
    metadata = {
        "lora": json.dumps({"format": FORMAT, **terms.plain()}),
        "base": json.dumps(base_hash(model)),
        "statistics": json.dumps(dict(statistics)),
    }
    with written_beside(path, error=CheckpointError) as part:
        try:
            save_file(tensors, part, metadata=metadata)
        except SafetensorError as exc:  # a full disk, say
            raise CheckpointError(
                f"{path} cannot be written: {exc}", hint=f"check the disk of {path.parent}"
            ) from exc
        part.chmod(0o644)  # safetensors writes files that only their owner can read


def read_lora(path: Path) -> LoraFile:
    """Raises `CheckpointError` for a file that is missing, damaged, newer, or no LoRA."""
    if not path.is_file():
        raise CheckpointError(f"there is no LoRA {path}", hint="check the path given with --lora")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        lora = json.loads(metadata["lora"])
        version = lora.pop("format")
        if version > FORMAT:
            raise CheckpointError(
                f"{path} has format {version}, this version reads up to {FORMAT}",
                hint="update vall-e",
            )
        return LoraFile(
            Terms.of(lora),
            json.loads(metadata["base"]),
            json.loads(metadata["statistics"]),
            tensors,
        )
    except (SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError) as exc:
        raise CheckpointError(
            f"{path} is damaged, or no LoRA of ours: {exc!r}",
            hint="make one with `vall-e export RUN -o NAME.lora.safetensors`",
        ) from exc


def attach_tensors(
    model: nn.Module, terms: Terms, tensors: Mapping[str, Tensor], *, key: str = OWN
) -> None:
    """Put an adapter with these tensors, named as in a file, beside the model's modules."""
    names = list(dict.fromkeys(name.rpartition(".")[0] for name in tensors))
    known = dict(model.named_modules())
    foreign = [name for name in names if name not in known]
    if foreign:
        raise CheckpointError(
            f"the LoRA has tensors for {foreign[0]}, which this model lacks",
            hint="take the model that it was trained with",
        )
    attach(model, names, terms, key=key)
    for name, adapter in adapters(model, key).items():
        try:
            adapter.load_state_dict(
                {part: tensors[f"{name}.{part}"] for part in ("lora_a", "lora_b")}
            )
        except (KeyError, RuntimeError) as exc:
            raise CheckpointError(
                f"the LoRA does not fit {name}: {exc}",
                hint="take the model that it was trained with",
            ) from exc


def stored(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The adapter in a state dict, its tensors named as in a file of its own."""
    part = f".adapters.{OWN}."
    return {name.replace(part, "."): t for name, t in tensors.items() if part in name}
