"""Cross entropy and accuracy, by stage."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from attrs import frozen
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy


@frozen(eq=False)
class Scores:
    """The predictions of one level, all rows joined."""

    stage: str
    logits: Float[Tensor, "n v"]
    targets: Int[Tensor, " n"]


@frozen(eq=False)
class Losses:
    """`total` is what to minimise; the rest is to look at. Tensors, so that nothing waits.

    `nll`: nats a token, by stage. `accuracy`: share of tokens whose likeliest guess is right.
    `tokens`: predicted tokens of the batch.
    """

    total: Float[Tensor, ""]
    nll: dict[str, Float[Tensor, ""]]
    accuracy: dict[str, Float[Tensor, ""]]
    auxiliary: Float[Tensor, ""]
    tokens: int


def joined(scores: Sequence[Scores], auxiliary: Float[Tensor, ""]) -> Losses:
    """Mean over all predicted tokens, of whichever stage, plus the backbone's auxiliary loss."""
    summed: dict[str, list[Tensor]] = {}
    right: dict[str, list[Tensor]] = {}
    counts: dict[str, int] = {}
    for score in scores:
        nll = cross_entropy(score.logits.float(), score.targets, reduction="sum")
        hits = (score.logits.detach().argmax(-1) == score.targets).sum()
        summed.setdefault(score.stage, []).append(nll)
        right.setdefault(score.stage, []).append(hits)
        counts[score.stage] = counts.get(score.stage, 0) + len(score.targets)
    tokens = sum(counts.values())
    total = torch.stack([sum(parts, torch.zeros_like(auxiliary)) for parts in summed.values()])
    return Losses(
        total=total.sum() / tokens + auxiliary,
        nll={
            stage: torch.stack(parts).sum().detach() / counts[stage]
            for stage, parts in summed.items()
        },
        accuracy={
            stage: torch.stack(parts).sum() / counts[stage] for stage, parts in right.items()
        },
        auxiliary=auxiliary.detach(),
        tokens=tokens,
    )
