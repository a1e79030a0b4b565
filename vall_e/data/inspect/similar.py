"""Which utterances of a speaker are similar, by the cosine of their vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import torch
from attrs import field, frozen, validators
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.data.dataset.manifest import Entry
from vall_e.data.dataset.similar_file import Neighbours
from vall_e.data.inspect.similarity_vectors import Feature

BLOCK = 1024
"""Rows that are compared with all others at once."""


@frozen
class Nearest:
    """Which of the other utterances, sorted by cosine, are kept for each."""

    k: int = field(default=10, validator=validators.ge(1))
    """At most this many."""
    offset: int = field(default=0, validator=validators.ge(0))
    """Leave out this many of the first, for example repetitions of the same sentence."""
    top_p: float = field(default=1.0, validator=[validators.gt(0), validators.le(1)])
    """Of those, the fewest whose positive cosines add up to this share of the sum."""

    def of(self, scores: Float[Tensor, " n"], order: Int[Tensor, " n"]) -> list[tuple[int, float]]:
        """From cosines in descending order, and the utterances that they belong to."""
        scores, order = (t[self.offset : self.offset + self.k] for t in (scores, order))
        share = scores.clamp(min=0)
        before = share.cumsum(0) - share
        kept = before < self.top_p * share.sum() if self.top_p < 1 else before >= 0
        if not kept.any():
            return []
        pairs = zip(order[kept].tolist(), scores[kept].tolist(), strict=True)
        return [(int(other), float(score)) for other, score in pairs]


def vectors_of(
    entries: Sequence[Entry], feature: Feature, *, on_item: Callable[[], None] = lambda: None
) -> Float[Tensor, "n d"]:
    """One row for each entry; zeros if the feature cannot be computed."""
    rows = []
    for entry in entries:
        rows.append(feature(entry).detach().float())
        on_item()
    width = max(len(row) for row in rows)
    return torch.stack([row if len(row) == width else torch.zeros(width) for row in rows])


def neighbours_of(
    entries: Sequence[Entry], vectors: Float[Tensor, "n d"], nearest: Nearest, *, across: bool
) -> Neighbours:
    """The nearest of each entry, by id. `across`: among all entries, otherwise of its speaker.

    The mean of all vectors is subtracted first: what all have in common does not make them similar.
    A vector of zeros is similar to nothing.
    """
    told = vectors.abs().sum(dim=1, keepdim=True) > 0
    vectors = (vectors - vectors.sum(dim=0) / told.sum().clamp(min=1)) * told
    groups: dict[str, list[int]] = {}
    for number, entry in enumerate(entries):
        groups.setdefault("" if across else entry.speaker, []).append(number)
    found: dict[int, list[tuple[int, float]]] = {}
    for group in groups.values():
        for own, near in zip(group, _near(vectors[group], nearest), strict=True):
            found[own] = [(group[other], score) for other, score in near]
    return {
        entry.id: [(entries[other].id, score) for other, score in found[number]]
        for number, entry in enumerate(entries)
    }


def _near(vectors: Float[Tensor, "n d"], nearest: Nearest) -> list[list[tuple[int, float]]]:
    """The other entries kept for each row, without the row itself."""
    unit = torch.nn.functional.normalize(vectors, dim=1)
    count = min(len(unit), nearest.offset + nearest.k + 1)
    scores, order = _by_faiss(unit, count) if find_spec("faiss") else _by_torch(unit, count)
    found = []
    for row, (score, other) in enumerate(zip(scores, order, strict=True)):
        mine = (other != row) & (score != 0)
        found.append(nearest.of(score[mine], other[mine]))
    return found


def _by_torch(unit: Tensor, count: int) -> tuple[Tensor, Tensor]:
    blocks = [(unit[at : at + BLOCK] @ unit.T).topk(count) for at in range(0, len(unit), BLOCK)]
    return torch.cat([b.values for b in blocks]), torch.cat([b.indices for b in blocks])


def _by_faiss(unit: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Exact, also with several processors."""
    import faiss

    index: Any = faiss.IndexFlatIP(unit.shape[1])
    index.add(unit.numpy())
    scores, order = index.search(unit.numpy(), count)
    return torch.from_numpy(scores), torch.from_numpy(order)
