"""Joining code points to longer symbols by byte-pair merges.

Sennrich et al. 2016 (https://arxiv.org/abs/1508.07909).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from attrs import field, frozen


@frozen
class Merges:
    """Pairs of symbols that become one, the most urgent first."""

    pairs: tuple[tuple[str, str], ...] = ()
    _ranks: dict[tuple[str, str], int] = field(init=False, repr=False, eq=False)

    @_ranks.default
    def _rank(self) -> dict[tuple[str, str], int]:
        return {pair: rank for rank, pair in enumerate(self.pairs)}

    def __call__(self, symbols: Sequence[str]) -> list[str]:
        """Merge the most urgent pair, the leftmost of equals, until none is left."""
        merged = list(symbols)
        while found := self._next(merged):
            _, place = found
            merged[place : place + 2] = [merged[place] + merged[place + 1]]
        return merged

    def _next(self, symbols: Sequence[str]) -> tuple[int, int] | None:
        found = enumerate(pairwise(symbols))
        ranked = ((self._ranks[pair], place) for place, pair in found if pair in self._ranks)
        return min(ranked, default=None)
