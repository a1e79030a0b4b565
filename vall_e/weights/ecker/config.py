"""Converts a model config of e-c-k-e-r/vall-e to ours.

Every field is handled: it determines one of our options, or does not affect the model's output,
or requires what we lack, which is refused by name; unknown fields are listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import frozen
from torch import Tensor

from vall_e.errors import CheckpointError
from vall_e.model.embedding import LENGTH_END, ModelSizes
from vall_e.weights.ecker_names import TensorNames, rows_of

Sums = Literal["auto", "legacy", "whole"]

LANGUAGES = ("en-us", "ja", "de", "fr-fr", "cmn", "ko")
"""In the order of their ids there."""
HEAD_SIZE = 64
"""Named sizes: full is 1024 wide with 16 heads, half 512 with 8, and so on."""


@frozen
class Possible:
    """Supported values. The first one is the default if the config leaves it out."""

    values: tuple[object, ...]
    why: str
    """Why no other value is supported, as in the message."""


_UNKNOWN = "its effect is not known"
_POSSIBLE: dict[str, Possible] = {
    "version": Possible(
        (5, 6),
        "it is not known how versions before 5 combine the levels of a frame and mark the "
        "requested level; version 7 generates all levels at once",
    ),
    "arch_type": Possible(
        ("llama", "mixtral"), "the tensor names of other backbones are not known"
    ),
    "hf": Possible((False,), "how one vocabulary represents the later levels is not known"),
    "interleave": Possible(
        (False,), "the tables and output layers of interleaved levels are not known"
    ),
    "audio_embedding_mode": Possible(
        (None, ""), "how the codec's vectors are projected to the model's width is not known"
    ),
    "audio_embedding_sums": Possible((False, True, "prom", "resp"), _UNKNOWN),
    "predict_causally": Possible((False,), _UNKNOWN),
    "monolithic_audio_encoder": Possible((False,), "it belongs to version 7"),
    "use_segmented_attention_mask": Possible((False,), _UNKNOWN),
    "use_sliding_attention_mask": Possible((False,), _UNKNOWN),
}
_SUMMED: dict[object, str] = {"prom": "prompt", "resp": "response"}
_DECIDING = {
    *("capabilities", "size", "dropout", "experimental", "resp_levels"),
    *("split_classifiers", "unified_position_ids", "noncausal_masks", "classifiers_bias"),
    *("causal_size", "experts", "kv_heads"),
}
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "capabilities": ((list, tuple), "a list"),
    "causal_size": ((int,), "a whole number"),
    "dropout": ((int, float), "a number"),
    "experimental": ((dict, type(None)), "options"),
    "resp_levels": ((int, type(None)), "a whole number"),
}
"""Fields used in computation, with their required types."""
_IGNORED = {
    # names, places, kernels
    *("name", "path", "attention", "tasks", "langs", "tones", "kwargs", "teacher"),
    # how it was trained
    *("training", "frozen_params", "loss_factors", "rvq_levels_p", "p_rvq_levels"),
    *("rvq_level_range", "token_dropout_error", "token_dropout_rate", "token_dropout_rvq_levels"),
    *("len_train_p", "p_len_train", "layerskip", "layerskip_r", "layerskip_p_max"),
    *("layerskip_e_scale", "masking_train_p", "masking_train_rvq_levels", "masking_ratio"),
    *("ignore_inputs_for_loss", "cfg_cond_dropout_p", "cfg_text_dropout_p", "cfg_prom_dropout_p"),
    *("layer_dropout_p", "lang_cond_dropout_p", "use_raw_text_p", "len_loss_factor"),
    # never used there, or only by version 7
    *("tie_classifier_to_embedding", "max_position_embeddings", "logit_normalization"),
    *("use_streamlined_calc_loss", "resp_parallel_training", "len_parallel_training"),
    *("len_use_logits", "parallel_attention_mask_dropout", "codebook_dropout_p"),
    *("per_level_normalization", "audio_level_loss_factors", "use_audio_encoder_level_weights"),
    *("use_audio_encoder_ffn", "use_audio_encoder_norm", "audio_decoder_ffn_expansion_size"),
    *("audio_encoder_ffn_expansion_size",),
}
_SINCE_WHOLE_SUMS = {
    *("per_level_normalization", "audio_level_loss_factors", "codebook_dropout_p"),
    *("use_audio_encoder_level_weights", "lang_cond_dropout_p", "use_raw_text_p"),
}
"""Fields of configs that were written after sums had been fixed."""


@frozen
class EckerModel:
    """A model of e-c-k-e-r/vall-e with our names: plain data for `vall_e.config.load.structure`."""

    raw: dict[str, Any]
    sizes: ModelSizes
    unknown: tuple[str, ...]
    """Unknown fields."""
    unused: tuple[str, ...]
    """Capabilities that this project's model does not use."""


def describe(
    config: Mapping[str, Any], tensors: Mapping[str, Tensor], *, sums: Sums = "auto"
) -> EckerModel:
    """Read the config, and the sizes from the tensors.

    `sums`: whether sums leave out the newest level (`legacy`), which the config does not state.
    `auto` checks for fields that were added after that was fixed.
    """
    _check_kinds(config)
    fields = _flat(config)
    _check_kinds(fields)
    _refuse(fields)
    _require_tables(fields, tensors)
    layout = TensorNames.of(tensors, told := tuple(fields.get("capabilities", ("ar", "nar"))))
    sizes = _sizes(tensors, layout)
    # `len` in models from before masked decoding means only the length.
    masks = layout.called("embedding.masked.weight") in tensors
    capabilities = [each for each in told if each != "len" or masks]
    summed = fields.get("audio_embedding_sums", False)
    codec = "encodec" if sizes.levels <= 8 else "dac"
    raw: dict[str, Any] = {
        "model": {
            "backbone": _backbone(fields, tensors),
            "capabilities": [each for each in ("ar", "nar", "len") if each in capabilities],
            "embedding_sums": bool(summed),
            "summed": _SUMMED.get(summed, "both"),
            "legacy_sums": _is_legacy(fields, sums),
            "prompt_levels": "known",
            "positions": "unified" if fields.get("unified_position_ids", True) else "segment",
            "heads": "split" if fields.get("split_classifiers", False) else "single",
            "head_bias": bool(fields.get("classifiers_bias", True)),
            "nar_attention": "full" if fields.get("noncausal_masks", False) else "causal",
            "ahead": fields.get("causal_size", 1),
        },
        "codec": {"name": codec, "levels": sizes.levels},
        "text": {"languages": list(LANGUAGES[: sizes.languages])},
        "tasks": [
            {"name": name, "language": "lang" in capabilities}
            for name in ("tts", "len")
            if name == "tts" or name in capabilities
        ],
    }
    known = {*_POSSIBLE, *_DECIDING, *_IGNORED}
    return EckerModel(
        raw,
        sizes,
        unknown=tuple(sorted(fields.keys() - known)),
        unused=tuple(
            each
            for each in fields.get("capabilities", ())
            if each != "lang" and each not in raw["model"]["capabilities"]
        ),
    )


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """All fields in one mapping; no name is used on both levels."""
    inner = config.get("experimental") or {}
    return {**{k: v for k, v in config.items() if k != "experimental"}, **inner}


def _check_kinds(fields: Mapping[str, Any]) -> None:
    wrong = [
        f"{name}: {fields[name]!r} is not {kind}"
        for name, (types, kind) in _KINDS.items()
        if name in fields and not isinstance(fields[name], types)
    ]
    if wrong:
        raise CheckpointError(
            f"the config of e-c-k-e-r/vall-e is damaged: {'; '.join(wrong)}",
            hint="correct it, and give it with vall-e models convert --config FILE",
        )


def _refuse(fields: Mapping[str, Any]) -> None:
    wrong = [
        f"{name}: {fields[name]!r} ({possible.why})"
        for name, possible in _POSSIBLE.items()
        if name in fields and fields[name] not in possible.values
    ]
    if fields.get("causal_size", 1) > 1 and "len" in fields.get("capabilities", ()):
        wrong.append("causal_size with len (whether digits are affected too is not known)")
    if wrong:
        raise CheckpointError(
            f"the config has settings that are not supported: {'; '.join(wrong)}",
            hint="docs/ecker_models.md lists what is supported",
        )


def _require_tables(fields: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Raise `CheckpointError` if the config has more levels than there are tables."""
    levels = fields.get("resp_levels") or 0
    names = (f"proms_emb.embeddings.{level}.weight" for level in range(levels))
    missing = [name for name in names if name not in tensors]
    if missing:
        raise CheckpointError(
            f"the config has {levels} levels, but these of their tensors are missing: "
            f"{', '.join(missing)}",
            hint="copy the file again; if its config is wrong, correct resp_levels, and give "
            "it with vall-e models convert --config FILE",
        )


def _is_legacy(fields: Mapping[str, Any], sums: Sums) -> bool:
    if not fields.get("audio_embedding_sums", False):
        return False
    return sums == "legacy" or (sums == "auto" and not _SINCE_WHOLE_SUMS & fields.keys())


def _sizes(tensors: Mapping[str, Tensor], layout: TensorNames) -> ModelSizes:
    masked, length = (layout.called(f"heads.{each}.weight") for each in ("masked", "length"))
    return ModelSizes(
        levels=max(layout.levels, 1),  # 0 is reported with what else is missing
        codebook_size=rows_of(_tensor(tensors, "proms_emb.embeddings.0.weight")),
        vocabulary=rows_of(_tensor(tensors, "text_emb.weight")),
        languages=rows_of(_tensor(tensors, "langs_emb.weight")),
        masked_classes=rows_of(tensors[masked]) if length in tensors else 0,
        length_classes=rows_of(tensors[length]) if length in tensors else LENGTH_END + 1,
    )


def _backbone(fields: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    width = rows_of(_tensor(tensors, "sep"))
    layers = {name.split(".")[2] for name in tensors if name.startswith("model.layers.")}
    size = fields.get("size")
    # Until this was fixed in 2025, an explicit size was ignored.
    obeyed = isinstance(size, Mapping) and size.get("dim") == width
    told = size.get("heads") if isinstance(size, Mapping) and obeyed else None
    heads = told if isinstance(told, int) else width // HEAD_SIZE
    experts = "model.layers.0.block_sparse_moe.gate.weight"
    return {
        "d_model": width,
        "layers": len(layers),
        "heads": max(heads, 1),
        "activation": "gelu",
        "dropout": float(fields.get("dropout", 0.0)),
        **(_mixtral(tensors, width // max(heads, 1)) if experts in tensors else _llama(tensors)),
    }


def _llama(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    width = rows_of(_tensor(tensors, "model.layers.0.mlp.gate_proj.weight"))
    return {"name": "llama", "d_ff": width}


def _mixtral(tensors: Mapping[str, Tensor], head_size: int) -> dict[str, Any]:
    """Hugging Face's, with its own default of two experts for each position."""
    layer = "model.layers.0."
    experts = rows_of(_tensor(tensors, f"{layer}block_sparse_moe.gate.weight"))
    keys = rows_of(_tensor(tensors, f"{layer}self_attn.k_proj.weight"))
    queries = rows_of(_tensor(tensors, f"{layer}self_attn.q_proj.weight"))
    return {
        "name": "mixtral",
        "d_ff": rows_of(_tensor(tensors, f"{layer}block_sparse_moe.experts.0.w1.weight")),
        "experts": experts,
        "experts_per_token": min(2, experts),
        "kv_heads": 0 if keys == queries else keys // head_size,
    }


def _tensor(tensors: Mapping[str, Tensor], name: str) -> Tensor:
    if name not in tensors:
        raise CheckpointError(
            f"the tensors do not fit the model: missing {name}",
            hint="check that the file contains a whole model, not a LoRA or a training state",
        )
    return tensors[name]
