"""Options of the language model. Torch-free."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen, validators

from vall_e.config.choices import AttentionChoice, BackboneChoice
from vall_e.config.field_metadata import chosen
from vall_e.config.validators import distinct, from_0_on, positive, probability


def _fits_pattern(instance: ModelConfig, attribute: Any, value: str) -> None:
    if value != "none" and instance.capabilities != ("ar",):
        raise ValueError(f"must be none unless model.capabilities is [ar]: {value}")
    side_by_side = value in ("parallel", "delay", "coarse-first")
    if side_by_side and instance.heads == "single":
        raise ValueError(f"must not write levels in parallel if model.heads is single: {value}")


def _fits_groups(instance: ModelConfig, attribute: Any, value: int) -> None:
    if value > 1 and "ar" not in instance.capabilities:
        raise ValueError(f"must be 1 unless model.capabilities has ar: {value}")
    if value > 1 and instance.pattern != "none":
        raise ValueError(f"must be 1 if model.pattern is {instance.pattern}: {value}")


def _fits_sums(instance: ModelConfig, attribute: Any, value: str) -> None:
    if value != "both" and not instance.embedding_sums:
        raise ValueError(f"must be both if model.embedding_sums is false: {value}")


def _of_groups(instance: ModelConfig, attribute: Any, value: float) -> None:
    if value > 0 and instance.group_size == 1:
        raise ValueError(f"must be 0 if model.group_size is 1: {value:g}")


def _fits_ahead(instance: ModelConfig, attribute: Any, value: int) -> None:
    if value > 1 and not {"ar"} <= set(instance.capabilities) <= {"ar", "nar"}:
        raise ValueError(f"must be 1 unless model.capabilities is [ar] or [ar, nar]: {value}")
    if value > 1 and (instance.pattern != "none" or instance.group_size > 1):
        raise ValueError(f"must be 1 with model.pattern or model.group_size: {value}")


CodePattern = Literal["none", "parallel", "delay", "interleaved", "flattened", "coarse-first"]


@frozen
class ModelConfig:
    """The language model. Codec, vocabulary and languages determine further sizes."""

    backbone: BackboneChoice = field(metadata=chosen("llama"))
    """The main network: maps a sequence of vectors to a sequence of vectors."""
    attention: AttentionChoice = field(metadata=chosen("auto"))
    """`auto` selects the fastest kernel available here, and logs its name."""
    capabilities: tuple[Literal["ar", "nar", "len"], ...] = field(
        default=("ar", "nar"), validator=[validators.min_len(1), distinct]
    )
    """What the model can generate: `ar` level 0 frame by frame, `nar` the other levels, `len` all
    of level 0 at once: it predicts the length (task `len`), then fills in masked frames."""
    pattern: Literal["none", "parallel", "delay", "interleaved", "flattened", "coarse-first"] = (
        field(default="none", validator=_fits_pattern)
    )
    """How the AR stage generates all levels by itself (capabilities: [ar]): `parallel` all levels
    of a frame at once, `delay` each level one step after the one before, `interleaved` (also called
    `flattened`) code by code, `coarse-first` all of level 0, then the other levels. `none`: level 0
    only."""
    group_size: int = field(default=1, validator=[positive, _fits_groups])
    """Frames that the AR stage generates in each step: more are faster."""
    partial_groups: float = field(default=0.0, validator=[*probability, _of_groups])
    """Share of the groups that are shortened in training. Needed for `sampling.confidence`, which
    shortens groups during synthesis; 0.2 is a good value."""
    ahead: int = field(default=1, validator=[positive, _fits_ahead])
    """Distance in frames from a position to the frame that it predicts in the AR stage. Over 1, it
    is how e-c-k-e-r/vall-e generated several frames in a step (`causal_size`); prefer
    `group_size`."""
    embedding_sums: bool = True
    """Embed a frame as the sum over its known levels (else: its newest level alone)."""
    summed: Literal["both", "prompt", "response"] = field(default="both", validator=_fits_sums)
    """Which segment `embedding_sums` applies to; in the other one, only the newest level is
    embedded."""
    legacy_sums: bool = False
    """Leave the newest of several known levels out of the sum, for prompt and response. Only for
    weights of e-c-k-e-r/vall-e from before March 2025, which were trained this way."""
    code_vectors: Literal["learnt", "codec", "both"] = "learnt"
    """How a code is embedded: by a learned table; by the codec's own vector, which is frozen, and a
    learned projection of it; or by the sum of both. The codec must have such vectors."""
    prompt_levels: Literal["all", "known"] = "all"
    """Levels of the prompt that are embedded: all, or only those that the response has too."""
    positions: Literal["segment", "unified"] = "segment"
    """`segment`: positions restart in each segment, which helps to align text and speech."""
    text_stride: int = field(default=1, validator=positive)
    """Distance between the positions of text tokens, if positions restart. With about the number of
    frames in a phoneme, text and speech positions match, and alignment is learned sooner."""
    heads: Literal["split", "single"] = "split"
    """One output layer for each level, or one for all."""
    head_bias: bool = True
    """Output layers have a bias."""
    nar_attention: Literal["full", "causal"] = "full"
    """What a frame of levels 1 and up attends to: all frames, or only itself and earlier ones, as
    in models of e-c-k-e-r/vall-e from before November 2024."""
    dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Dropout on the embedded sequence, in training."""
    token_dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Share of the response's frames replaced by a learned mask vector, in training."""
    token_dropout_levels: tuple[int, ...] = field(default=(), validator=from_0_on)
    """The target levels for which frames are masked. Empty: all."""
