"""Converts tensors of e-c-k-e-r/vall-e to ours, and back.

That is https://github.com/e-c-k-e-r/vall-e, with checkpoints from November 2024 on whose models
are a llama or a Mixtral.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import torch
from attrs import evolve, frozen
from torch import Tensor

from vall_e.errors import CheckpointError
from vall_e.weights.ecker_names import TensorNames, needless, rows_of

_LEFT_OUT = re.compile(
    r"""
      dropout_token                       # replaces frames that are dropped in training
    | (tasks|tones|len|raw_text)_emb\.weight    # for features that our models lack
    | time_emb\..*                        # saved, never used
    | model\.embed_tokens\.weight         # likewise
    | classifiers\.proj\.\d+\.(weight|bias)    # heads of other tasks, after those of the levels
    | resps_emb\.embeddings\.\d+\.weight       # likewise: a table for masked frames
    """,
    re.VERBOSE,
)
_LONGER = ("embedding.response.0.weight", "embedding.level.weight")
"""May have one more row there: for the stop token, which never occurs in a sequence, or for the
former level of the task `len`."""
_STOPS = ("heads.layers.0.weight", "heads.layers.0.bias")
"""May have one row less if no level is generated frame by frame: there is no stop token."""


@frozen(eq=False)
class Translation:
    """The tensors under our names, and the rest.

    `kept` has, by their names there, the tensors without a counterpart here, and the further rows
    of tables that are longer there. Tensors that are missing there and never used are zeros.
    """

    tensors: dict[str, Tensor]
    kept: dict[str, Tensor]
    layout: TensorNames


def translate(
    state: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    capabilities: Collection[str] = ("ar", "nar"),
) -> Translation:
    """The tensors for a model with the state `wanted`, from a state of e-c-k-e-r/vall-e.

    Raises `CheckpointError` that names all tensors that are missing, unknown or of another shape.
    """
    layout = TensorNames.of(state, capabilities)
    tensors: dict[str, Tensor] = {}
    kept = dict(state)
    wrong: list[str] = []
    absent, short = [], []
    for name, ours in wanted.items():
        theirs = layout.called(name)
        tensor = kept.get(theirs)
        more = 0 if tensor is None else rows_of(tensor) - rows_of(ours)
        spare = needless(name, capabilities, single_head=layout.single_head)
        if spare and (tensor is None or abs(more) > 1):
            absent.append(name)  # a tensor of that name belongs to another task
            tensors[name] = torch.zeros(ours.shape)
            continue
        if tensor is None:
            wrong.append(f"missing {theirs}")
            continue
        del kept[theirs]
        if more == 1 and name in _LONGER:
            kept[theirs], tensor = tensor[-1:], tensor[:-1]
        elif more == -1 and name in _STOPS and "ar" not in capabilities:
            short.append(name)
            tensor = torch.cat([tensor, tensor.new_zeros(1, *tensor.shape[1:])])
        if tensor.shape != ours.shape:
            wrong.append(f"{theirs} is {tuple(tensor.shape)}, expected {tuple(ours.shape)}")
        tensors[name] = tensor
    read = {layout.called(name) for name in wanted if name not in absent}
    wrong += [f"unknown {name}" for name in _unknown(name for name in kept if name not in read)]
    if wrong:
        raise CheckpointError(
            f"the tensors do not fit the model: {'; '.join(wrong)}",
            hint="set the model's options as in the checkpoint's own config",
        )
    return Translation(tensors, kept, evolve(layout, absent=absent, short=short))


def translate_back(
    tensors: Mapping[str, Tensor], kept: Mapping[str, Tensor], layout: TensorNames
) -> dict[str, Tensor]:
    """The tensors under the names of e-c-k-e-r/vall-e, with those that were kept from it."""
    named = {
        layout.called(name): tensor[:-1] if name in layout.short else tensor
        for name, tensor in tensors.items()
        if name not in layout.absent
    }
    longer = {layout.called(name) for name in _LONGER if name not in layout.absent}
    for name, tensor in kept.items():
        named[name] = torch.cat([named[name], tensor]) if name in longer else tensor
    return named


def _unknown(names: Iterable[str]) -> list[str]:
    return [name for name in names if not _LEFT_OUT.fullmatch(name)]
