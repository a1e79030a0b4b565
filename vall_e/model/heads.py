"""Hidden states to logits: one output layer a level, or one for all; one for text."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from vall_e.model.embedding import Sizes


class Heads(nn.Module):
    """Level 0 has one more class than the codebook: the stop token, its last.

    A single head is wide enough for level 0; for other levels the stop column is cut off.
    """

    def __init__(
        self,
        layout: Literal["split", "single"],
        sizes: Sizes,
        d_model: int,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.codebook_size = sizes.codebook_size
        widths = [sizes.codebook_size + 1]
        if layout == "split":
            widths += [sizes.codebook_size] * (sizes.levels - 1)
        layers = [nn.Linear(d_model, width, bias=bias) for width in widths]
        for layer in layers:
            nn.init.normal_(layer.weight, std=0.02)
            if bias:
                nn.init.zeros_(layer.bias)
        self.layers = nn.ModuleList(layers)
        if sizes.writes_text:
            self.text = nn.Linear(d_model, sizes.vocabulary)
            nn.init.normal_(self.text.weight, std=0.02)
            nn.init.zeros_(self.text.bias)

    def forward(self, hidden: Float[Tensor, "*n d"], level: int) -> Float[Tensor, "*n v"]:
        layer = self.layers[level if len(self.layers) > 1 else 0]
        logits: Tensor = layer(hidden)
        return logits if level == 0 else logits[..., : self.codebook_size]
