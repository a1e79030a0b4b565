"""A mixture of feed-forward layers (experts), of which a router selects a few per position.

Shazeer et al. 2017 (https://arxiv.org/abs/1701.06538); as in Mixtral (Jiang et al. 2024,
https://arxiv.org/abs/2401.04088) no position is ever dropped, so a row does not depend on others.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn


class Experts(nn.Module):
    """Sum of the `chosen` likeliest experts' outputs, weighted by the router's softmax.

    `make` builds one expert: a module that maps (n, d) to (n, d).
    """

    def __init__(
        self, d_model: int, experts: int, chosen: int, make: Callable[[], nn.Module]
    ) -> None:
        super().__init__()
        self.chosen = chosen
        self.gate = nn.Linear(d_model, experts, bias=False)
        self.experts = nn.ModuleList(make() for _ in range(experts))

    def forward(
        self, x: Float[Tensor, "b t d"], valid: Bool[Tensor, "b t"]
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, ""]]:
        """The output, and how unevenly the valid positions are distributed: 1 if evenly."""
        flat = x.flatten(0, 1)
        chances = self.gate(flat).float().softmax(dim=-1)  # (n, e); bf16 would make ties
        weights, picked = chances.topk(self.chosen, dim=-1)
        weights = weights / weights.sum(dim=-1, keepdim=True)
        out = torch.zeros_like(flat)
        for number, expert in enumerate(self.experts):  # also idle ones: DDP waits for all
            rows, places = (picked == number).nonzero(as_tuple=True)
            added = expert(flat[rows]) * weights[rows, places, None]
            out = out.index_add(0, rows, added.to(out.dtype))
        return out.view_as(x), unevenness(chances, picked, valid.flatten())


def unevenness(
    chances: Float[Tensor, "n e"], picked: Int[Tensor, "n c"], valid: Bool[Tensor, " n"]
) -> Float[Tensor, ""]:
    """Experts x sum over them of (share of picks x mean probability), over valid positions.

    The load-balancing loss of the Switch Transformer (Fedus et al. 2021,
    https://arxiv.org/abs/2101.03961, equation 4): 1 if all are picked equally, up to their number.
    """
    experts = chances.shape[1]
    counts = torch.zeros_like(chances).scatter(1, picked, 1.0)
    keep = valid[:, None].to(chances.dtype)
    total = keep.sum().clamp(min=1)
    shares = (counts * keep).sum(0) / (total * picked.shape[1])
    means = (chances * keep).sum(0) / total
    return experts * (shares * means).sum()
