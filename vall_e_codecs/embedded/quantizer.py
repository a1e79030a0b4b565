"""Vectors to residual codes and back, with fixed codebooks."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class ResidualQuantizer(torch.nn.Module):
    """Nearest entry of the first codebook, then of the second for the residual, and so on.

    Vectors are normalized first: `mean` and `scale` have one value per dimension.
    """

    def __init__(
        self,
        codebooks: Float[Tensor, "k v d"],
        mean: Float[Tensor, " d"],
        scale: Float[Tensor, " d"],
    ) -> None:
        super().__init__()
        self.codebooks: Tensor
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("codebooks", codebooks.float())
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def encode(self, vectors: Float[Tensor, "b f d"]) -> Int[Tensor, "b k f"]:
        residual = (vectors - self.mean) / self.scale
        codes = []
        for codebook in self.codebooks:
            code = nearest(residual.flatten(0, 1), codebook).reshape(residual.shape[:2])
            residual = residual - codebook[code]
            codes.append(code)
        return torch.stack(codes, dim=1)

    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b f d"]:
        """Normalized vectors, the vocoder's input, from the first n levels."""
        vectors = self.codebooks.new_zeros(codes.shape[0], codes.shape[2], self.codebooks.shape[2])
        for level, codebook in zip(codes.unbind(1), self.codebooks, strict=False):
            vectors = vectors + codebook[level]
        return vectors


def nearest(vectors: Float[Tensor, "n d"], codebook: Float[Tensor, "v d"]) -> Int[Tensor, " n"]:
    """Index of the entry at the smallest Euclidean distance."""
    return (vectors @ codebook.T - codebook.square().sum(1) / 2).argmax(1)
