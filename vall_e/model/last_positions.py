"""Passes that need only some states: the last layer computes no more than necessary."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.interfaces.backbone import Backbone, Cache, Gathering
from vall_e.model.embedding import Embedded


def states_at(
    backbone: Backbone,
    embedded: Embedded,
    wanted: Int[Tensor, "b n"],
    *,
    causal: bool = True,
    cache: Cache | None = None,
) -> Float[Tensor, "b n d"]:
    """The states of a pass at these positions of each row."""
    x, lengths, positions = embedded.vectors, embedded.lengths, embedded.positions
    if isinstance(backbone, Gathering):
        states, _ = backbone(
            x, lengths=lengths, positions=positions, causal=causal, cache=cache, wanted=wanted
        )
        return states
    states, _ = backbone(x, lengths=lengths, positions=positions, causal=causal, cache=cache)
    return states[torch.arange(len(x), device=x.device)[:, None], wanted]


def ends(embedded: Embedded, count: int) -> Int[Tensor, "b n"]:
    """The last `count` positions of each row; the first one is repeated if there are fewer."""
    back = torch.arange(count - 1, -1, -1, device=embedded.lengths.device)
    return (embedded.lengths[:, None] - 1 - back).clamp(min=0)
