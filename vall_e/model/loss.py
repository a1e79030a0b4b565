"""Cross entropy and accuracy, by stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

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
    share: float = 1.0
    """Its weight in the total."""
    exit: int | None = None
    """Number of layers before an early exit; None: all."""
    kinds: tuple[str, ...] = ()
    """The kind of segment that each target belongs to; only needed for factors of kinds."""

    @property
    def name(self) -> str:
        return self.stage if self.exit is None else f"{self.stage}.exit-{self.exit}"


@frozen(eq=False)
class Losses:
    """`total` is minimized; the rest is for monitoring. Tensors, to avoid synchronization.

    `nll`: nats per token, by stage. `accuracy`: share of tokens whose likeliest prediction is
    right. `counts`: the number of tokens in those means. `tokens`: predicted tokens of the batch.
    """

    total: Float[Tensor, ""]
    nll: dict[str, Float[Tensor, ""]]
    accuracy: dict[str, Float[Tensor, ""]]
    auxiliary: Float[Tensor, ""]
    counts: dict[str, int]
    tokens: int


def joined(
    scores: Sequence[Scores],
    auxiliary: Float[Tensor, ""],
    factors: Mapping[str, float] | None = None,
) -> Losses:
    """Mean over all predicted tokens of all stages, plus the backbone's auxiliary loss.

    With `factors` it is the sum of the means of each kind of segment, times its factor. The means
    of early exits are added by their weights.
    """
    summed: dict[str, list[Tensor]] = {}
    right: dict[str, list[Tensor]] = {}
    counts: dict[str, int] = {}
    weighed: list[Tensor] = []
    weights = _weights([score for score in scores if score.exit is None], factors or {})
    for score in scores:
        nll = cross_entropy(score.logits.float(), score.targets, reduction="none")
        hits = (score.logits.detach().argmax(-1) == score.targets).sum()
        summed.setdefault(score.name, []).append(nll.sum())
        right.setdefault(score.name, []).append(hits)
        counts[score.name] = counts.get(score.name, 0) + len(score.targets)
        if score.kinds:
            nll = nll * nll.new_tensor([weights[kind] for kind in score.kinds])
        weighed.append(nll.sum() * score.share)
    tokens = sum(len(score.targets) for score in scores if score.exit is None)
    return Losses(
        total=torch.stack(weighed).sum() / (1 if factors else tokens) + auxiliary,
        nll={
            stage: torch.stack(parts).sum().detach() / counts[stage]
            for stage, parts in summed.items()
        },
        accuracy={
            stage: torch.stack(parts).sum() / counts[stage] for stage, parts in right.items()
        },
        auxiliary=auxiliary.detach(),
        counts=counts,
        tokens=tokens,
    )


def _weights(scores: Sequence[Scores], factors: Mapping[str, float]) -> dict[str, float]:
    """The weight of a token of each kind: its kind's factor, divided by the tokens of the kind."""
    counts = Counter(kind for score in scores for kind in score.kinds)
    return {kind: factors.get(kind, 0.0) / count for kind, count in counts.items()}
