"""A LoRA in a file of its own: a .safetensors file without its base model.

Tensors: `PLACE.lora_a` and `PLACE.lora_b`, where PLACE names a module of the model. Metadata, each
value JSON: `lora` (its terms and the format's version), `base` (hash of the base weights),
`statistics` (of its training).

Files of e-c-k-e-r/vall-e are read too: see `vall_e.weights.ecker.lora`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from attrs import field, frozen
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vall_e.atomic_write import atomic_path, make_folder
from vall_e.damaged_files import damage_as, parse_json
from vall_e.errors import CheckpointError
from vall_e.model.lora import OWN, Terms, adapters, attach, is_adapter, terms_of
from vall_e.weights.ecker.lora import holds_ecker_lora, read_terms, translate_lora
from vall_e.weights.safe_torch_pickle import PICKLED, read_pickle

FORMAT = 1
"""Version of the file's layout. A newer one is refused."""
SUFFIX = ".lora.safetensors"


@frozen(eq=False)
class LoraFile:
    """The contents of the file."""

    terms: Terms
    base: str
    """Hash of the base weights; empty if the file does not state it (e-c-k-e-r/vall-e's)."""
    statistics: Mapping[str, Any]
    tensors: dict[str, Tensor] = field(repr=False)


def base_hash(model: nn.Module) -> str:
    """Of the weights without adapters, as float32: a base has the same hash at any precision."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if not is_adapter(name):
            digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()


def require_lora(model: nn.Module) -> Terms:
    """The terms of the adapter trained with the model; `CheckpointError` if there is none."""
    terms = terms_of(model)
    if terms is None:
        raise CheckpointError(
            "this model has no LoRA", hint="train one with a wrapper `lora`, or export the model"
        )
    return terms


def save_lora(model: nn.Module, path: Path, statistics: Mapping[str, Any]) -> None:
    """Write the adapter trained with the model, completely or not at all."""
    terms = require_lora(model)
    tensors = {
        f"{place}.{name}": tensor.detach().cpu().contiguous()
        for place, adapter in adapters(model).items()
        for name, tensor in adapter.state_dict().items()
    }
    write_lora(LoraFile(terms, base_hash(model), statistics, tensors), path)


def write_lora(file: LoraFile, path: Path) -> None:
    """Write the file, completely or not at all."""
    metadata = {
        "lora": json.dumps({"format": FORMAT, **file.terms.plain()}),
        "base": json.dumps(file.base),
        "statistics": json.dumps(dict(file.statistics)),
    }
    write_tensors(file.tensors, metadata, path)


def write_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str], path: Path) -> None:
    """Write a .safetensors file, completely or not at all."""
    make_folder(path.parent, error=CheckpointError)
    with atomic_path(path, error=CheckpointError) as part:
        try:
            save_file(dict(tensors), part, metadata=dict(metadata))
        except SafetensorError as exc:  # for example a full disk
            raise CheckpointError(
                f"{path} cannot be written: {exc}", hint=f"check the disk of {path.parent}"
            ) from exc
        part.chmod(0o644)  # safetensors writes files that only their owner can read


def holds_only_lora(path: Path) -> bool:
    """Whether a file of e-c-k-e-r/vall-e is a LoRA. A file that cannot be opened is not."""
    try:
        if path.suffix in PICKLED:
            module = read_pickle(path).get("module")
            return not (isinstance(module, dict) and "sep" in module)
        with safe_open(path, framework="pt") as file:
            return holds_ecker_lora(file.keys())
    except (CheckpointError, SafetensorError, OSError, ValueError):
        return False


def read_lora(path: Path) -> LoraFile:
    """Raises `CheckpointError` for a file that is missing, damaged, newer, or not a LoRA."""
    if not path.is_file():
        raise CheckpointError(f"there is no LoRA {path}", hint="check the path given as `loras=`")
    with reading_lora(path):
        found = _ecker(path, *_pickled(path)) if path.suffix in PICKLED else _safetensors(path)
        _require_rank(found)
    return found


def reading_lora(path: Path) -> AbstractContextManager[None]:
    """Whatever a damaged LoRA raises becomes a `CheckpointError` that names it."""
    return damage_as(
        CheckpointError,
        path,
        what="is damaged, or not a LoRA",
        hint="make one with `vall-e export RUN -o NAME.lora.safetensors`",
    )


def _safetensors(path: Path) -> LoraFile:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if "lora" not in metadata and holds_ecker_lora(tensors):
        return _ecker(path, parse_json(metadata.get("config", "{}")), tensors)
    lora = parse_json(metadata["lora"])
    version = lora.pop("format")
    if version > FORMAT:
        raise CheckpointError(
            f"{path} has format {version}, but this version reads up to {FORMAT}",
            hint="update vall-e",
        )
    base, statistics = parse_json(metadata["base"]), parse_json(metadata["statistics"])
    if not isinstance(base, str) or not isinstance(statistics, dict):
        raise ValueError("its base or its statistics are of another type")
    return LoraFile(Terms.of(lora), base, statistics, tensors)


def _require_rank(file: LoraFile) -> None:
    """Raise `ValueError` for a rank or types that the tensors do not have."""
    for name, tensor in file.tensors.items():
        rank = tensor.shape[0 if name.endswith("lora_a") else -1] if tensor.ndim == 2 else 0
        if rank != file.terms.rank or not tensor.is_floating_point():
            raise ValueError(
                f"{name} is {tuple(tensor.shape)} {tensor.dtype}, with rank {file.terms.rank}"
            )


def _pickled(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    content = read_pickle(path)
    tensors = content.get("lora") or content.get("module")
    if not isinstance(tensors, dict) or not holds_ecker_lora(tensors):
        raise CheckpointError(
            f"{path} has no LoRA under 'lora' or 'module', as e-c-k-e-r/vall-e's files have",
            hint="use a file written by e-c-k-e-r/vall-e's own export",
        )
    adapters = {name: t for name, t in tensors.items() if holds_ecker_lora([name])}
    config = content.get("config")
    return config if isinstance(config, dict) else {}, adapters


def _ecker(path: Path, config: dict[str, Any], tensors: dict[str, Tensor]) -> LoraFile:
    terms = read_terms(config, tensors, path)
    return LoraFile(terms, "", {}, translate_lora(tensors, terms.rank, path))


def attach_tensors(
    model: nn.Module, terms: Terms, tensors: Mapping[str, Tensor], *, key: str = OWN
) -> None:
    """Add an adapter with these tensors, named as in a file, to the model's modules."""
    names = list(dict.fromkeys(name.rpartition(".")[0] for name in tensors))
    known = dict(model.named_modules())
    foreign = [name for name in names if name not in known]
    if foreign:
        raise CheckpointError(
            f"the LoRA has tensors for {foreign[0]}, which this model lacks",
            hint="use the model that it was trained with",
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
                hint="use the model that it was trained with",
            ) from exc


def stored(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The adapter in a state dict, with tensor names as in a file of its own."""
    part = f".adapters.{OWN}."
    return {name.replace(part, "."): t for name, t in tensors.items() if part in name}
