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
        raise ValueError(f"must not write levels side by side where model.heads is single: {value}")


def _fits_groups(instance: ModelConfig, attribute: Any, value: int) -> None:
    if value > 1 and "ar" not in instance.capabilities:
        raise ValueError(f"must be 1 unless model.capabilities has ar: {value}")
    if value > 1 and instance.pattern != "none":
        raise ValueError(f"must be 1 where model.pattern is {instance.pattern}: {value}")


def _fits_sums(instance: ModelConfig, attribute: Any, value: str) -> None:
    if value != "both" and not instance.embedding_sums:
        raise ValueError(f"must be both where model.embedding_sums is false: {value}")


def _of_groups(instance: ModelConfig, attribute: Any, value: float) -> None:
    if value > 0 and instance.group_size == 1:
        raise ValueError(f"must be 0 where model.group_size is 1: {value:g}")


def _fits_ahead(instance: ModelConfig, attribute: Any, value: int) -> None:
    if value > 1 and not {"ar"} <= set(instance.capabilities) <= {"ar", "nar"}:
        raise ValueError(f"must be 1 unless model.capabilities is [ar] or [ar, nar]: {value}")
    if value > 1 and (instance.pattern != "none" or instance.group_size > 1):
        raise ValueError(f"must be 1 beside model.pattern and model.group_size: {value}")


CodePattern = Literal["none", "parallel", "delay", "interleaved", "flattened", "coarse-first"]


@frozen
class ModelConfig:
    """The language model. Sizes that codec, vocabulary and languages decide are not asked for."""

    backbone: BackboneChoice = field(metadata=chosen("llama"))
    """The body: what maps a sequence of vectors to a sequence of vectors."""
    attention: AttentionChoice = field(metadata=chosen("auto"))
    """`auto` takes the fastest kernel that can run here, and says which."""
    capabilities: tuple[Literal["ar", "nar", "len"], ...] = field(
        default=("ar", "nar"), validator=[validators.min_len(1), distinct]
    )
    """What the weights can do: `ar` level 0 frame by frame, `nar` the other levels, `len` all of
    level 0 at once, by filling in masked frames, after saying its length (the task `len`)."""
    pattern: Literal["none", "parallel", "delay", "interleaved", "flattened", "coarse-first"] = (
        field(default="none", validator=_fits_pattern)
    )
    """How the AR stage writes all levels by itself (capabilities: [ar]): `parallel` all of a frame
    at once, `delay` each a step after the one before, `interleaved` (also called `flattened`) code
    by code, `coarse-first` level 0 to its end and then the others. `none`: level 0 alone."""
    group_size: int = field(default=1, validator=[positive, _fits_groups])
    """Frames that the AR stage writes at each step: more are faster."""
    partial_groups: float = field(default=0.0, validator=[*probability, _of_groups])
    """Share of the groups that are cut short in training. `sampling.confidence` needs some, 0.2
    say: it cuts groups when speaking."""
    ahead: int = field(default=1, validator=[positive, _fits_ahead])
    """How many places after a frame the one stands that it predicts in the AR stage. Over 1 is how
    e-c-k-e-r/vall-e wrote several frames a step (`causal_size`); `group_size` does it better."""
    embedding_sums: bool = True
    """Embed a frame as the sum over its known levels (else: its newest level alone)."""
    summed: Literal["both", "prompt", "response"] = field(default="both", validator=_fits_sums)
    """What that counts for; of the other one the newest level alone is embedded."""
    legacy_sums: bool = False
    """Leave the newest of several known levels out of the sum, of prompt and response, as models of
    e-c-k-e-r/vall-e until March 2025 were trained. For their weights only."""
    code_vectors: Literal["learnt", "codec", "both"] = "learnt"
    """What embeds a code: a learnt table; the codec's own vector of it, which stays as it is, and a
    learnt projection of that; or the sum of both. The codec must have such vectors."""
    prompt_levels: Literal["all", "known"] = "all"
    """Levels of the prompt that are embedded: all, or those that the response has too."""
    positions: Literal["segment", "unified"] = "segment"
    """`segment`: positions restart in every segment, which helps text and speech to align."""
    text_stride: int = field(default=1, validator=positive)
    """Positions from one text token to the next, where positions restart. Near the number of
    frames that a phoneme lasts, text and speech run side by side and align sooner."""
    heads: Literal["split", "single"] = "split"
    """One output layer a level, or one for all."""
    head_bias: bool = True
    """Output layers have a bias."""
    nar_attention: Literal["full", "causal"] = "full"
    """What a frame of a later level sees: all frames, or only those before it and itself, as models
    of e-c-k-e-r/vall-e until November 2024 were trained."""
    dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Of the embedded sequence, while training."""
    token_dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Share of the response's frames that a learnt vector stands in for, while training."""
    token_dropout_levels: tuple[int, ...] = field(default=(), validator=from_0_on)
    """The levels at whose prediction that is done. Empty: all."""
