"""Codes of one level to vectors: by a learnt table, by what the codec itself makes of them."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vall_e.errors import ConfigError
from vall_e.interfaces.codec import Codec, Vectored

CodeVectors = Literal["learnt", "codec", "both"]


def code_table(kind: CodeVectors, codebook_size: int, width: int, d_model: int) -> nn.Module:
    """`width` is that of the codec's vectors."""
    if kind == "learnt":
        return nn.Embedding(codebook_size, d_model)
    if not width:
        raise ConfigError(
            f"model.code_vectors: {kind} needs the codec's vectors, and there are none",
            hint="set model.code_vectors: learnt",
        )
    return CodecTable(codebook_size, width, d_model, learnt=kind == "both")


class CodecTable(nn.Module):
    """The codec's vectors of a level, frozen, and a learnt projection of them.

    With `learnt`, a learnt table is added. The vectors are saved with the weights.
    """

    def __init__(self, codebook_size: int, width: int, d_model: int, *, learnt: bool) -> None:
        super().__init__()
        self.vectors: Tensor
        self.register_buffer("vectors", torch.zeros(codebook_size, width))
        self.project = nn.Linear(width, d_model, bias=False)
        self.table = nn.Embedding(codebook_size, d_model) if learnt else None

    def forward(self, ids: Int[Tensor, "*n"]) -> Float[Tensor, "*n d"]:
        # Under autocast the product is in half precision: sums of vectors stay in that of weights.
        found: Tensor = self.project(self.vectors[ids]).to(self.project.weight.dtype)
        return found if self.table is None else found + self.table(ids)

    def fill(self, vectors: Float[Tensor, "v c"]) -> None:
        """Take the codec's, at a mean square length of 1: later levels' are short, and no less."""
        length = vectors.square().sum(-1).mean().sqrt()
        self.vectors.copy_(vectors / length if length else vectors)


def vectors_of(kind: CodeVectors, codec: Codec, *, name: str) -> Float[Tensor, "k v c"] | None:
    """What a model's tables are to be filled with; None: nothing.

    Raises `ConfigError` where the codec, called `name`, has no such vectors.
    """
    if kind == "learnt":
        return None
    if not isinstance(codec, Vectored):
        raise ConfigError(
            f"model.code_vectors: {kind}: the codec {name} has no vectors of its codes to give",
            hint="set model.code_vectors: learnt, or take a codec that has: encodec, say",
        )
    return codec.code_vectors().detach().float().cpu()
