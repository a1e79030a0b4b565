"""Names of tensors as the project that this one learnt from writes them, and as we do.

That is https://github.com/e-c-k-e-r/vall-e, in its checkpoints from November 2024 on whose models
are a llama.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import torch
from attrs import frozen
from torch import Tensor

from vall_e.errors import CheckpointError

_NAMES = {
    "embedding.separator": "sep",
    "embedding.token_dropout.vector": "dropout_token",
    "embedding.text.weight": "text_emb.weight",
    "embedding.language.weight": "langs_emb.weight",
    "embedding.level.weight": "rvq_l_emb.weight",
    "embedding.length.weight": "len_emb.weight",
}
_PATTERNS = (
    (r"embedding\.prompt\.(\d+)\.", r"proms_emb.embeddings.\1."),
    (r"embedding\.response\.(\d+)\.", r"resps_emb.embeddings.\1."),
    (r"heads\.layers\.(\d+)\.", r"classifiers.proj.\1."),
    (r"backbone\.", "model."),
)
_LEFT_OUT = re.compile(
    r"""
      dropout_token                       # stands for frames that were dropped in training
    | (tasks|tones|len|raw_text)_emb\.weight    # of what no model of ours is made of
    | time_emb\..*                        # saved, never used
    | model\.embed_tokens\.weight         # likewise
    | classifiers\.proj\.\d+\.(weight|bias)    # heads of other tasks, after those of the levels
    | resps_emb\.embeddings\.\d+\.weight       # likewise: a table for masked frames
    """,
    re.VERBOSE,
)
_LONGER = ("embedding.response.0.weight", "embedding.level.weight")
"""May have a row more there: for the stop token, which no sequence ever shows, and for what was the
level of the task `len`."""


def _after_levels(levels: int) -> tuple[tuple[str, str], ...]:
    return (
        ("embedding.masked.", f"resps_emb.embeddings.{levels}."),
        ("heads.masked.", f"classifiers.proj.{levels}."),
        ("heads.length.", f"classifiers.proj.{levels + 2}."),  # between them: text
    )


@frozen(eq=False)
class Translation:
    """The tensors under our names, and what is left.

    `kept` has, by their names there, the tensors that nothing of ours stands for, and of tables
    that are longer there the rows after ours.
    """

    tensors: dict[str, Tensor]
    kept: dict[str, Tensor]


def original_name(name: str, *, single_head: bool, levels: int = 0) -> str:
    """What a tensor that we call `name` is called there, in a model of so many levels.

    `levels` is asked for by the parts of the capability `len` alone: they follow the levels'.
    """
    for ours, theirs in _after_levels(levels):
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    if single_head and name.startswith("heads.layers.0."):
        return "classifier." + name.removeprefix("heads.layers.0.")
    for pattern, replacement in _PATTERNS:
        name = re.sub(f"^{pattern}", replacement, name)
    return _NAMES.get(name, name)


def translate(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Translation:
    """What a model with the state `wanted` reads in `state`, a state of the original.

    Raises `CheckpointError` that names all tensors that are missing, of another shape or unknown.
    """
    single_head = "classifier.weight" in state
    levels = levels_of(state)
    tensors: dict[str, Tensor] = {}
    kept = dict(state)
    wrong: list[str] = []
    for name, ours in wanted.items():
        theirs = original_name(name, single_head=single_head, levels=levels)
        if theirs not in state:
            wrong.append(f"missing {theirs}")
            continue
        tensor = kept.pop(theirs)
        if name in _LONGER and len(tensor) == len(ours) + 1:
            kept[theirs], tensor = tensor[-1:], tensor[:-1]
        if tensor.shape != ours.shape:
            wrong.append(f"{theirs} is {tuple(tensor.shape)}, wanted {tuple(ours.shape)}")
        tensors[name] = tensor
    read = {original_name(name, single_head=single_head, levels=levels) for name in wanted}
    wrong += [f"unknown {name}" for name in _unknown(name for name in kept if name not in read)]
    if wrong:
        raise CheckpointError(
            f"the tensors do not fit the model: {'; '.join(wrong)}",
            hint="set the model's options as the checkpoint's own config has them",
        )
    return Translation(tensors, kept)


def translate_back(
    tensors: Mapping[str, Tensor], kept: Mapping[str, Tensor], *, single_head: bool
) -> dict[str, Tensor]:
    """The tensors under the names of the original, with what was kept of it."""
    levels = sum(name.startswith("embedding.prompt.") for name in tensors)
    named = {
        original_name(n, single_head=single_head, levels=levels): t for n, t in tensors.items()
    }
    longer = {original_name(name, single_head=single_head) for name in _LONGER}
    for name, tensor in kept.items():
        named[name] = torch.cat([named[name], tensor]) if name in longer else tensor
    return named


def levels_of(state: Mapping[str, Tensor]) -> int:
    """The RVQ levels of a model of the original."""
    return sum(name.startswith("proms_emb.embeddings.") for name in state)


def _unknown(names: Iterable[str]) -> list[str]:
    return [name for name in names if not _LEFT_OUT.fullmatch(name)]
