"""Which utterances of a speaker are alike: the nearest by the cosine of their vectors."""

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
    """Which of the others, sorted by their cosine, are kept of each."""

    k: int = field(default=10, validator=validators.ge(1))
    """At most so many."""
    offset: int = field(default=0, validator=validators.ge(0))
    """Leave out the first so many: the same sentence said again, say."""
    top_p: float = field(default=1.0, validator=[validators.gt(0), validators.le(1)])
    """Of those, the fewest that hold this share of the sum of their cosines above 0."""

    def of(self, scores: Float[Tensor, " n"], order: Int[Tensor, " n"]) -> list[tuple[int, float]]:
        """From cosines in descending order and whose they are."""
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
    """A row an entry; zeros where the feature had nothing to tell."""
    rows = []
    for entry in entries:
        rows.append(feature(entry).detach().float())
        on_item()
    width = max(len(row) for row in rows)
    return torch.stack([row if len(row) == width else torch.zeros(width) for row in rows])


def neighbours_of(
    entries: Sequence[Entry], vectors: Float[Tensor, "n d"], nearest: Nearest, *, across: bool
) -> Neighbours:
    """Of each entry, by its id. `across`: among all, else among its speaker's only.

    The mean of all vectors is taken off first: what all share makes nobody similar. A vector of
    zeros is similar to nobody.
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
    """The others that are kept of each row, without the row itself."""
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
    """Exact too, with more processors than one."""
    import faiss

    index: Any = faiss.IndexFlatIP(unit.shape[1])
    index.add(unit.numpy())
    scores, order = index.search(unit.numpy(), count)
    return torch.from_numpy(scores), torch.from_numpy(order)
