"""A trained model as one .safetensors file with everything needed for synthesis.

Tensors: the model's `state_dict`. Metadata, each value JSON: `format`, `config` (a whole run's),
`vocabulary`, `codec` (identity of the codes), `sizes`, `statistics`; `lora` (terms of the adapter
among the tensors) if there is one. No pickle is used.

A model read from a file of e-c-k-e-r also has the file's other contents: tensors whose names start
with `kept/`, and `kept` and `kept_layout` in the metadata.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from attrs import asdict, fields, frozen
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from vall_e.atomic_write import atomic_path, make_folder
from vall_e.config.load import structure, unstructure, without_folders
from vall_e.config.schema import RunConfig
from vall_e.errors import CheckpointError
from vall_e.model.embedding import ModelSizes
from vall_e.model.lora import Terms, is_adapter, terms_of
from vall_e.model.valle import Valle, build_valle
from vall_e.registry import Registry
from vall_e.text.vocabulary import Vocabulary
from vall_e.weights.contents import Kept, WeightsContents
from vall_e.weights.ecker.file import is_ecker, read_ecker
from vall_e.weights.ecker_names import TensorNames
from vall_e.weights.lora_file import attach_tensors, stored
from vall_e.weights.metadata import (
    FORMAT,
    fact,
    reading_weights,
    require_file,
    require_format,
)
from vall_e.weights.other_formats import opener_of, read_by
from vall_e.weights.sharded import whole

KEPT = "kept/"
SIZES = tuple(field.name for field in fields(ModelSizes))


@frozen(eq=False)
class Bundle:
    """A model with everything needed to use it."""

    model: Valle
    config: RunConfig
    vocabulary: Vocabulary
    codec: str
    """Identity of the codec whose codes the model generates."""
    statistics: Mapping[str, float | int]
    """Of its training: steps, samples, tokens, losses."""
    kept: Kept | None = None
    """Further contents of a file of e-c-k-e-r/vall-e."""

    def metadata(self) -> dict[str, str]:
        """All but the tensors, as JSON text by key."""
        return metadata_of(self)

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of its file, on the CPU."""
        return tensors_of(self.model) | _kept_tensors(self.kept, None)

    def save(self, path: Path) -> None:
        """Write a .safetensors file for `-m`, completely or not at all."""
        save(self, path)


def save(bundle: Bundle, path: Path, *, dtype: torch.dtype | None = None) -> None:
    """Write the file, completely or not at all. `dtype` converts floating-point tensors."""
    make_folder(path.parent, error=CheckpointError)
    with atomic_path(path, error=CheckpointError) as part:
        try:
            tensors = tensors_of(bundle.model, dtype) | _kept_tensors(bundle.kept, dtype)
            save_file(tensors, part, metadata=metadata_of(bundle))
        except SafetensorError as exc:  # for example a full disk
            raise CheckpointError(
                f"{path} cannot be written: {exc}", hint=f"check the disk of {path.parent}"
            ) from exc
        part.chmod(0o644)  # safetensors writes files that only their owner can read


def tensors_of(model: Valle, dtype: torch.dtype | None = None) -> dict[str, Tensor]:
    """The state dict on the CPU, floating tensors as `dtype`."""
    return {name: _storable(tensor, dtype) for name, tensor in model.state_dict().items()}


def _kept_tensors(kept: Kept | None, dtype: torch.dtype | None) -> dict[str, Tensor]:
    tensors = kept.tensors if kept else {}
    return {KEPT + name: _storable(tensor, dtype) for name, tensor in tensors.items()}


def _storable(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    converted = tensor.to(dtype) if dtype and tensor.is_floating_point() else tensor
    return whole(converted.detach()).cpu().contiguous()


def metadata_of(bundle: Bundle) -> dict[str, str]:
    """The file's metadata, as JSON text by key."""
    return {
        "format": json.dumps(FORMAT),
        # Folders on the training machine are private.
        "config": json.dumps(unstructure(without_folders(bundle.config), owners=True)),
        "vocabulary": bundle.vocabulary.to_json(),
        "codec": json.dumps(bundle.codec),
        "sizes": json.dumps(asdict(bundle.model.sizes)),
        "statistics": json.dumps(dict(bundle.statistics)),
        **({"lora": json.dumps(terms.plain())} if (terms := terms_of(bundle.model)) else {}),
        **({"kept": json.dumps(bundle.kept.facts)} if bundle.kept else {}),
        **({"kept_layout": json.dumps(asdict(bundle.kept.layout))} if bundle.kept else {}),
    }


def load(
    path: Path,
    registry: Registry,
    *,
    dtype: torch.dtype | None = torch.float32,
    change: Callable[[RunConfig], RunConfig] = lambda config: config,
) -> Bundle:
    """Read a file written by `save`, one of e-c-k-e-r, or one that an exporter opens.

    The model is in eval mode on the CPU.

    Floating-point tensors become `dtype`; None keeps each as in the file. Others never change.

    `change` adapts the config in the file before building, for example to another attention kernel.

    Raises `CheckpointError` for a file that is missing, damaged, newer than this version, or whose
    tensors do not fit its config; `ConfigError` if a component that it names is not installed.
    """
    return bundle_of(_contents(path, registry), path, dtype=dtype, change=change)


def _contents(path: Path, registry: Registry) -> WeightsContents:
    if opener := opener_of(path, registry):
        metadata, tensors = read_by(opener, path)
        require_format(metadata, path)
        return _described(metadata, tensors, path, registry)
    if is_ecker(path):
        return read_ecker(path, registry)
    return _described(*_read(path), path, registry)


def bundle_of(
    read: WeightsContents,
    path: Path,
    *,
    dtype: torch.dtype | None = torch.float32,
    change: Callable[[RunConfig], RunConfig] = lambda config: config,
) -> Bundle:
    """The model from the contents of `path`, as returned by `load`."""
    config = change(read.config)
    with reading_weights(path):  # sizes of a damaged file may not fit into memory
        model = build_valle(config.model, read.sizes)
    tensors = dict(read.tensors)
    if dtype is not None:
        tensors = {n: t.to(dtype) if t.is_floating_point() else t for n, t in tensors.items()}
    _fill(model, {n: t for n, t in tensors.items() if not is_adapter(n)}, path)
    if read.lora:
        with reading_weights(path):
            attach_tensors(model, Terms.of(read.lora), stored(tensors))
    return Bundle(
        model=model.to(dtype).eval(),  # buffers that are not in the file
        config=config,
        vocabulary=read.vocabulary,
        codec=read.codec,
        statistics=read.statistics,
        kept=read.kept,
    )


def _described(
    metadata: Mapping[str, str], tensors: Mapping[str, Tensor], path: Path, registry: Registry
) -> WeightsContents:
    own = {name: t for name, t in tensors.items() if not name.startswith(KEPT)}
    config = structure(fact(metadata, "config", path), registry, source=f"config in {path}")
    with reading_weights(path):
        sizes = ModelSizes(**fact(metadata, "sizes", path))
        _require_possible({**asdict(sizes), **asdict(config.model.backbone.options)}, own)
        return WeightsContents(
            config=config,
            sizes=sizes,
            tensors=own,
            vocabulary=Vocabulary.from_json(metadata.get("vocabulary", "")),
            codec=fact(metadata, "codec", path),
            statistics=fact(metadata, "statistics", path),
            kept=_kept(metadata, tensors, path, config, sizes) if "kept" in metadata else None,
            lora=fact(metadata, "lora", path) if "lora" in metadata else None,
        )


def _require_possible(sizes: Mapping[str, object], tensors: Mapping[str, Tensor]) -> None:
    """Raise `ValueError` for sizes that these tensors cannot have, before memory is taken."""
    most = max((tensor.numel() for tensor in tensors.values()), default=0)
    limits = dict.fromkeys((*SIZES, "d_model", "d_ff", "heads"), most)
    limits |= {"levels": len(tensors), "layers": len(tensors)}
    for name, limit in limits.items():
        size = sizes.get(name)
        if isinstance(size, int) and size > limit:
            raise ValueError(f"{name} is {size}, but its tensors allow {limit} at most")


def _kept(
    metadata: Mapping[str, str],
    tensors: Mapping[str, Tensor],
    path: Path,
    config: RunConfig,
    sizes: ModelSizes,
) -> Kept:
    """From a file that was converted from e-c-k-e-r/vall-e."""
    usual = TensorNames(levels=sizes.levels, single_head=config.model.heads == "single")
    told = "kept_layout" in metadata  # early files lack it, and all have the same layout
    return Kept(
        fact(metadata, "kept", path),
        {n.removeprefix(KEPT): t for n, t in tensors.items() if n.startswith(KEPT)},
        TensorNames(**fact(metadata, "kept_layout", path)) if told else usual,
    )


def model_tensors(path: Path) -> dict[str, Tensor]:
    """The model's tensors in a file of ours, without those kept from a file of e-c-k-e-r."""
    with reading_weights(path):
        return {n: t for n, t in load_file(path).items() if not n.startswith(KEPT)}


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    return _open(path, lambda file: {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118


def _open(path: Path, take: Any) -> tuple[dict[str, str], Any]:
    require_file(path)
    with reading_weights(path), safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        require_format(metadata, path)
        return metadata, take(file)


def _fill(model: Valle, tensors: Mapping[str, Tensor], path: Path) -> None:
    wanted = model.state_dict()
    missing, foreign = (
        sorted(wanted.keys() - tensors.keys()),
        sorted(tensors.keys() - wanted.keys()),
    )
    misfits = [
        f"{name} is {tuple(tensors[name].shape)}, expected {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & tensors.keys())
        if tensors[name].shape != wanted[name].shape
    ]
    misfits += [
        f"{name} has numbers of the type {tensors[name].dtype}"
        for name in sorted(wanted.keys() & tensors.keys())
        if tensors[name].is_floating_point() != wanted[name].is_floating_point()
    ]
    mistakes = (
        [f"missing {name}" for name in missing] + [f"unknown {name}" for name in foreign] + misfits
    )
    if mistakes:
        shown = "; ".join(mistakes[:5]) + (
            f"; and {len(mistakes) - 5} more" if len(mistakes) > 5 else ""
        )
        raise CheckpointError(
            f"the tensors of {path} do not fit its config: {shown}", hint="export it again"
        )
    model.load_state_dict(dict(tensors), assign=True)  # a copy would be in the model's own dtypes
