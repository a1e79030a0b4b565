"""Embeds the codes of one level: by a learned table, or by the codec's own code vectors."""

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
            f"model.code_vectors: {kind} needs the codec's vectors, but there are none",
            hint="set model.code_vectors: learnt",
        )
    return CodecTable(codebook_size, width, d_model, learnt=kind == "both")


class CodecTable(nn.Module):
    """The codec's vectors of a level, frozen, and a learned projection of them.

    With `learnt`, a learned table is added. The vectors are saved with the weights.
    """

    def __init__(self, codebook_size: int, width: int, d_model: int, *, learnt: bool) -> None:
        super().__init__()
        self.vectors: Tensor
        self.register_buffer("vectors", torch.zeros(codebook_size, width))
        self.project = nn.Linear(width, d_model, bias=False)
        self.table = nn.Embedding(codebook_size, d_model) if learnt else None

    def forward(self, ids: Int[Tensor, "*n"]) -> Float[Tensor, "*n d"]:
        # Under autocast the product is in half precision; sums of vectors stay in the weights'
        # dtype.
        found: Tensor = self.project(self.vectors[ids]).to(self.project.weight.dtype)
        return found if self.table is None else found + self.table(ids)

    def fill(self, vectors: Float[Tensor, "v c"]) -> None:
        """Load the codec's vectors, scaled to mean square length 1: later levels' are short."""
        length = vectors.square().sum(-1).mean().sqrt()
        self.vectors.copy_(vectors / length if length else vectors)


def vectors_of(kind: CodeVectors, codec: Codec, *, name: str) -> Float[Tensor, "k v c"] | None:
    """The vectors to fill a model's tables with; None: none are needed.

    Raises `ConfigError` if the codec, called `name`, has no such vectors.
    """
    if kind == "learnt":
        return None
    if not isinstance(codec, Vectored):
        raise ConfigError(
            f"model.code_vectors: {kind}: the codec {name} does not provide code vectors",
            hint="set model.code_vectors: learnt, or use a codec that provides them, such as "
            "encodec",
        )
    return codec.code_vectors().detach().float().cpu()
