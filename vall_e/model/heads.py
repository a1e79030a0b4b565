"""Hidden states to logits: one output layer a level, or one for all; one for text."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from vall_e.model.embedding import ModelSizes


class Heads(nn.Module):
    """Level 0 has one more class than the codebook: the stop token, which is its last.

    A single head is wide enough for level 0; for other levels the stop column is cut off. With
    `length`, for models with the capability `len`, there are layers for masked frames and for
    digits, unless there is a single head. Each frame of a group after the first has its own head
    (`group`), for level 0 too.
    """

    def __init__(
        self,
        layout: Literal["split", "single"],
        sizes: ModelSizes,
        d_model: int,
        *,
        bias: bool = True,
        length: bool = False,
        group_size: int = 1,
    ) -> None:
        super().__init__()
        self.codebook_size = sizes.codebook_size
        self.shared = layout == "single"
        widths = [sizes.codebook_size + 1]
        if layout == "split":
            widths += [sizes.codebook_size] * (sizes.levels - 1)
        layers = [nn.Linear(d_model, width, bias=bias) for width in widths]
        for layer in layers:
            _start(layer)
        self.layers = nn.ModuleList(layers)
        self.length_classes = sizes.length_classes
        if length and layout == "split":
            self.masked = _layer(d_model, sizes.masked_classes or sizes.codebook_size, bias=bias)
            self.length = _layer(d_model, sizes.length_classes, bias=bias)
        if sizes.writes_text:
            self.text = _layer(d_model, sizes.vocabulary, bias=True)
        stopping = [sizes.codebook_size + 1] * (group_size - 1)
        self.group = nn.ModuleList(_layer(d_model, width, bias=bias) for width in stopping)

    def forward(self, hidden: Float[Tensor, "*n d"], level: int) -> Float[Tensor, "*n v"]:
        layer = self.layers[level if len(self.layers) > 1 else 0]
        logits: Tensor = layer(hidden)
        return logits if level == 0 else logits[..., : self.codebook_size]

    def slot(self, hidden: Float[Tensor, "*n d"], slot: int) -> Float[Tensor, "*n v"]:
        """For a slot of a step: a frame of a group if there are groups, otherwise a level."""
        grouped = slot and len(self.group)
        logits: Tensor = self.group[slot - 1](hidden) if grouped else self(hidden, slot)
        return logits

    def of_masked(self, hidden: Float[Tensor, "*n d"]) -> Float[Tensor, "*n v"]:
        """Over the codes of level 0 for a masked frame."""
        if self.shared:
            return self.forward(hidden, 0)[..., : self.codebook_size]
        logits: Tensor = self.masked(hidden)
        return logits

    def of_length(self, hidden: Float[Tensor, "*n d"]) -> Float[Tensor, "*n v"]:
        """Over ten digits and an end."""
        if self.shared:
            return self.forward(hidden, 0)[..., : self.length_classes]
        logits: Tensor = self.length(hidden)
        return logits


def _layer(d_model: int, width: int, *, bias: bool) -> nn.Linear:
    layer = nn.Linear(d_model, width, bias=bias)
    _start(layer)
    return layer


def _start(layer: nn.Linear) -> None:
    nn.init.normal_(layer.weight, std=0.02)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
