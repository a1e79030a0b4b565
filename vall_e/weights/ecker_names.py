"""The tensor names of a model of e-c-k-e-r/vall-e, and which of them it has.

They are numbered in the order of its capabilities: a model that does not generate level 0 may
begin with the tables and output layers of level 1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from attrs import field, frozen
from torch import Tensor

_NAMES = {
    "embedding.separator": "sep",
    "embedding.token_dropout.vector": "dropout_token",
    "embedding.text.weight": "text_emb.weight",
    "embedding.language.weight": "langs_emb.weight",
    "embedding.level.weight": "rvq_l_emb.weight",
    "embedding.length.weight": "len_emb.weight",
}
_EXPERT = {"gate": "w1", "down": "w2", "up": "w3"}
"""As in Hugging Face's Mixtral."""


def _names(names: Collection[str]) -> tuple[str, ...]:
    return tuple(names)


@frozen
class TensorNames:
    """Names of one model's tensors, there and here."""

    levels: int = 0
    single_head: bool = False
    first_table: int = 0
    """The index of our response table that is the first one there."""
    first_head: int = 0
    """The index of our output layer that is the first one there."""
    absent: tuple[str, ...] = field(default=(), converter=_names)
    """Tensors of ours that are missing there: none of the capabilities need them."""
    short: tuple[str, ...] = field(default=(), converter=_names)
    """Tensors of ours with one row less there: the stop token, without frame-by-frame decoding."""

    @classmethod
    def of(cls, state: Mapping[str, Tensor], capabilities: Collection[str]) -> TensorNames:
        """The layout of a state of e-c-k-e-r/vall-e, inferred from names and sizes."""
        levels = levels_of(state)
        first = state.get("proms_emb.embeddings.0.weight")
        codes = 0 if first is None else rows_of(first)
        tables = _rows(state, "resps_emb.embeddings.")
        masks = len(tables) > 1 and tables[-1] == codes + 1
        heads = [rows for rows in _rows(state, "classifiers.proj.") if codes <= rows <= codes + 1]
        # The index of the first one is its level, unless the list is exactly one too short.
        one_too_few = levels - 1 if "ar" not in capabilities else None
        return cls(
            levels=levels,
            single_head="classifier.weight" in state,
            first_table=int(len(tables) - masks == one_too_few),
            first_head=int(len(heads) - masks == one_too_few),
        )

    def called(self, name: str) -> str:
        """The name of our tensor there."""
        if self.single_head and name.startswith("heads.layers.0."):
            return name.replace("heads.layers.0.", "classifier.")
        if name.startswith("backbone."):
            return _of_backbone(name)
        masks, others = self.levels - self.first_table, self.levels - self.first_head
        for start, prefix, number in (
            ("embedding.prompt.", "proms_emb.embeddings.", 0),
            ("embedding.response.", "resps_emb.embeddings.", -self.first_table),
            ("embedding.masked.", "resps_emb.embeddings.", masks),
            ("heads.layers.", "classifiers.proj.", -self.first_head),
            ("heads.masked.", "classifiers.proj.", others),
            ("heads.length.", "classifiers.proj.", others + 2),  # between them: text
        ):
            if name.startswith(start):
                own = re.match(r"(\d+)\.", rest := name.removeprefix(start))
                rest = rest[own.end() :] if own else rest
                return f"{prefix}{number + int(own[1] if own else 0)}.{rest}"
        return _NAMES.get(name, name)


def levels_of(state: Mapping[str, Tensor]) -> int:
    """The RVQ levels of a model of e-c-k-e-r/vall-e."""
    return sum(name.startswith("proms_emb.embeddings.") for name in state)


def rows_of(tensor: Tensor) -> int:
    """Its first size; a scalar, as in a damaged file, has none."""
    return tensor.shape[0] if tensor.ndim else 0


def needless(name: str, capabilities: Collection[str], *, single_head: bool) -> bool:
    """Whether a model with these capabilities never uses a tensor that it has."""
    head = "" if single_head else r"|heads\.layers"
    found = re.match(rf"(?:embedding\.response{head})\.(\d+)\.", name)
    return found is not None and ("nar" if int(found[1]) else "ar") not in capabilities


def _of_backbone(name: str) -> str:
    name = "model." + name.removeprefix("backbone.")
    name = name.replace(".mlp.gate.", ".block_sparse_moe.gate.")
    return re.sub(
        r"\.mlp\.experts\.(\d+)\.(gate|up|down)_proj\.",
        lambda found: f".block_sparse_moe.experts.{found[1]}.{_EXPERT[found[2]]}.",
        name,
    )


def named_by(theirs: str) -> str:
    """Our name for a tensor of the backbone, or next to it, that they call `model....`."""
    name = "backbone." + theirs.removeprefix("model.")
    name = name.replace(".block_sparse_moe.gate.", ".mlp.gate.")
    ours = {after: before for before, after in _EXPERT.items()}
    return re.sub(
        r"\.block_sparse_moe\.experts\.(\d+)\.(w[123])\.",
        lambda found: f".mlp.experts.{found[1]}.{ours[found[2]]}_proj.",
        name,
    )


def _rows(state: Mapping[str, Tensor], prefix: str) -> list[int]:
    """The tensors in a list, in its order."""
    number, rows = 0, []
    while (name := f"{prefix}{number}.weight") in state:
        rows.append(rows_of(state[name]))
        number += 1
    return rows
