"""The file of https://github.com/e-c-k-e-r/vall-e: see `vall_e.weights.ecker.file`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from vall_e.atomic_write import atomic_path, make_folder
from vall_e.config.model import ModelConfig
from vall_e.config.schema import RunConfig
from vall_e.config.structure import unstructure
from vall_e.errors import CheckpointError
from vall_e.model.embedding import ModelSizes
from vall_e.text.imported_vocabulary import their_ids
from vall_e.weights.contents import Kept
from vall_e.weights.ecker.config import HEAD_SIZE
from vall_e.weights.ecker.tensors import translate_back
from vall_e.weights.ecker_names import TensorNames
from vall_e.weights.file import Bundle, tensors_of

NAMED_SIZES = {(1024, 12): "full", (512, 12): "half", (256, 12): "quarter", (1024, 24): "double"}
"""By width and layers."""
TEXT_ROWS = 256
TASK_ROWS = 9
LLAMA: dict[str, object] = {
    "activation": "gelu", "norm_eps": 1e-6, "rope_theta": 10_000.0, "rope_scaling": "none",
}  # fmt: skip
SUMS = {"both": True, "prompt": "prom", "response": "resp"}


class EckerExporter:
    """A model read from such a file becomes that file again; others get the layout of 2025.

    Tensors without a counterpart here are then zeros. Raises `CheckpointError` for a model that
    e-c-k-e-r/vall-e does not support.
    """

    suffix = ".sft"

    def check(self, config: RunConfig) -> None:
        """Before training: the options of the model, not yet the number of its symbols."""
        _refuse(_wrong(config.model, unstructure(config.model.backbone)))

    def __call__(self, bundle: Bundle, path: Path) -> None:
        kept = bundle.kept or _made(bundle)
        own = tensors_of(bundle.model)
        tensors = translate_back(own, kept.tensors, kept.layout)
        _refuse_foreign(tensors)
        text = tensors["text_emb.weight"]
        missing = max(TEXT_ROWS - len(text), 0) if bundle.kept is None else 0
        tensors["text_emb.weight"] = torch.cat([text, text.new_zeros(missing, text.shape[1])])
        make_folder(path.parent, error=CheckpointError)
        with atomic_path(path, error=CheckpointError) as part:
            try:
                metadata = {key: json.dumps(value) for key, value in kept.facts.items()}
                save_file({n: t.contiguous() for n, t in tensors.items()}, part, metadata=metadata)
            except SafetensorError as exc:  # for example a full disk
                raise CheckpointError(
                    f"{path} cannot be written: {exc}", hint=f"check the disk of {path.parent}"
                ) from exc
            part.chmod(0o644)  # safetensors writes files that only their owner can read


def _refuse_foreign(tensors: Mapping[str, Tensor]) -> None:
    foreign = [name for name in tensors if name.startswith(("embedding.", "heads."))]
    foreign += [name for name in tensors if "lora" in name]
    if foreign:
        raise CheckpointError(
            f"e-c-k-e-r/vall-e's format does not support {', '.join(foreign[:5])}",
            hint="export a model without added tasks and adapters, or --to safetensors",
        )


def _made(bundle: Bundle) -> Kept:
    """The config that e-c-k-e-r/vall-e's loader expects, for a model that was never its own."""
    sizes, config = bundle.model.sizes, bundle.config.model
    backbone = unstructure(config.backbone)
    wrong = _wrong(config, backbone)
    if sizes.vocabulary > TEXT_ROWS:
        wrong.append(f"{sizes.vocabulary} symbols, over {TEXT_ROWS}")
    _refuse(wrong)
    return Kept(_facts(bundle, backbone), _zeros(bundle, config), _layout(config, sizes))


def _layout(config: ModelConfig, sizes: ModelSizes) -> TensorNames:
    """As in e-c-k-e-r/vall-e: no stop token without frame-by-frame decoding."""
    head = [f"heads.layers.0.{part}" for part in ("weight", "bias")[: 1 + config.head_bias]]
    return TensorNames(
        levels=sizes.levels,
        single_head=config.heads == "single",
        short=() if "ar" in config.capabilities else head,
    )


def _wrong(config: ModelConfig, backbone: Mapping[str, Any]) -> list[str]:
    return [
        f"{option}: {found}, not {value}"
        for option, found, value in _demanded(config, backbone)
        if found != value
    ]


def _refuse(wrong: Sequence[str]) -> None:
    if wrong:
        raise CheckpointError(
            f"e-c-k-e-r/vall-e does not support this model: {'; '.join(wrong)}",
            hint="train one like examples/configs/ar+nar-llama-8.yaml, or export --to safetensors",
        )


def _demanded(
    config: ModelConfig, backbone: Mapping[str, Any]
) -> Iterator[tuple[str, object, object]]:
    """Options of `model`: name, value, and what e-c-k-e-r/vall-e supports."""
    name = str(backbone["name"])
    yield "backbone", name, name if name in ("llama", "mixtral") else "llama or mixtral"
    if name in ("llama", "mixtral"):
        wanted = {**LLAMA, "d_ff": 4 * backbone["d_model"]}
        if name == "llama":
            wanted["kv_heads"] = 0
        else:
            wanted["experts_per_token"] = min(2, backbone["experts"])
        yield from ((f"backbone.{key}", backbone[key], value) for key, value in wanted.items())
    yield "prompt_levels", config.prompt_levels, "known"
    yield "code_vectors", config.code_vectors, "learnt"
    yield "pattern", config.pattern, "none"
    yield "group_size", config.group_size, 1
    yield "text_stride", config.text_stride, 1


def _facts(bundle: Bundle, backbone: Mapping[str, Any]) -> dict[str, Any]:
    model, sizes = bundle.config.model, bundle.model.sizes
    language = any(getattr(task.options, "language", False) for task in bundle.config.tasks)
    experimental = {
        "split_classifiers": model.heads == "split",
        "audio_embedding_sums": model.embedding_sums and SUMS[model.summed],
        "unified_position_ids": model.positions == "unified",
        "noncausal_masks": model.nar_attention == "full",
        "classifiers_bias": model.head_bias,
        "token_dropout_rate": model.token_dropout,
        "causal_size": model.ahead,
        "kv_heads": backbone["kv_heads"],
    }
    if model.embedding_sums and not model.legacy_sums:
        experimental["per_level_normalization"] = True  # a field from the time when sums were fixed
    config = {
        "name": "+".join(model.capabilities),
        "version": 5,
        "size": _size(backbone, sizes),
        "resp_levels": sizes.levels,
        "tasks": TASK_ROWS,
        "langs": sizes.languages,
        "tones": 1,
        "arch_type": backbone["name"],
        "experts": backbone.get("experts", 1),
        "dropout": backbone["dropout"],
        "capabilities": [*model.capabilities, *(["lang"] if language else [])],
        "experimental": experimental,
    }
    symbols = their_ids(bundle.vocabulary)
    userdata = {"symmap": symbols, "merges": bundle.vocabulary.merges.pairs}
    return {"config": config, "userdata": userdata, "stats": dict(bundle.statistics)}


def _size(backbone: Mapping[str, Any], sizes: ModelSizes) -> str | dict[str, int]:
    width, heads, layers = (int(backbone[name]) for name in ("d_model", "heads", "layers"))
    usual = width == heads * HEAD_SIZE and sizes.codebook_size == 1024
    if usual and (width, layers) in NAMED_SIZES:
        return NAMED_SIZES[width, layers]
    spelt = {"dim": width, "heads": heads, "layers": layers}
    return spelt if sizes.codebook_size == 1024 else spelt | {"audio_tokens": sizes.codebook_size}


def _zeros(bundle: Bundle, config: ModelConfig) -> dict[str, Tensor]:
    separator = bundle.model.embedding.separator.detach().cpu()
    width = len(separator)
    tensors = {
        "dropout_token": separator.new_zeros(width),
        "tasks_emb.weight": separator.new_zeros(TASK_ROWS, width),
        "tones_emb.weight": separator.new_zeros(1, width),
        "resps_emb.embeddings.0.weight": separator.new_zeros(1, width),  # the stop token's row
    }
    if config.token_dropout:
        del tensors["dropout_token"]  # it is ours
    if "ar" not in config.capabilities:
        del tensors["resps_emb.embeddings.0.weight"]
    if config.heads == "split":
        place = bundle.model.sizes.levels + ("len" in config.capabilities)
        name = f"classifiers.proj.{place}"  # writes text
        tensors[f"{name}.weight"] = separator.new_zeros(TEXT_ROWS, width)
        if config.head_bias:
            tensors[f"{name}.bias"] = separator.new_zeros(TEXT_ROWS)
    return tensors
