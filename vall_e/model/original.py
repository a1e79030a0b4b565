"""Names of tensors as the project that this one learnt from writes them, and as we do.

That is https://github.com/e-c-k-e-r/vall-e, in its checkpoints from November 2024 on whose models
are a llama. Its NAR levels run causally.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from attrs import frozen
from torch import Tensor

from vall_e.errors import CheckpointError

_NAMES = {
    "embedding.separator": "sep",
    "embedding.text.weight": "text_emb.weight",
    "embedding.language.weight": "langs_emb.weight",
    "embedding.level.weight": "rvq_l_emb.weight",
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
    | (tasks|tones|len)_emb\.weight       # of tasks that this project does not have
    | time_emb\..*                        # saved, never used
    | model\.embed_tokens\.weight         # likewise
    | classifiers\.proj\.\d+\.(weight|bias)    # heads of other tasks, after those of the levels
    | resps_emb\.embeddings\.\d+\.weight       # likewise: a table for masked frames
    """,
    re.VERBOSE,
)
_STOP_ROW = "embedding.response.0.weight"
"""Has a row for the stop token there, which no sequence ever shows."""


@frozen(eq=False)
class Translation:
    """The tensors under our names. `left_out`: names there that nothing of ours stands for."""

    tensors: dict[str, Tensor]
    left_out: tuple[str, ...]


def original_name(name: str, *, single_head: bool) -> str:
    """What a tensor that we call `name` is called there."""
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
    tensors: dict[str, Tensor] = {}
    wrong: list[str] = []
    read = set()
    for name, ours in wanted.items():
        theirs = original_name(name, single_head=single_head)
        if theirs not in state:
            wrong.append(f"missing {theirs}")
            continue
        read.add(theirs)
        tensor = state[theirs]
        if name == _STOP_ROW and len(tensor) == len(ours) + 1:
            tensor = tensor[:-1]
        if tensor.shape != ours.shape:
            wrong.append(f"{theirs} is {tuple(tensor.shape)}, wanted {tuple(ours.shape)}")
        tensors[name] = tensor
    left_out = tuple(name for name in state if name not in read)
    wrong += [f"unknown {name}" for name in _unknown(left_out)]
    if wrong:
        raise CheckpointError(
            f"the tensors do not fit the model: {'; '.join(wrong)}",
            hint="set the model's options as the checkpoint's own config has them",
        )
    return Translation(tensors, left_out)


def _unknown(names: Iterable[str]) -> list[str]:
    return [name for name in names if not _LEFT_OUT.fullmatch(name)]
