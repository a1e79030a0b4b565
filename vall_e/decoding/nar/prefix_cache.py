"""Passes over the same samples level by level, with a cache for their common prefix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.interfaces.backbone import Layered, LayeredCache
from vall_e.model.embedding import Embedded
from vall_e.model.last_positions import ends, states_at
from vall_e.model.lora import Adapter
from vall_e.model.sequence import Example
from vall_e.model.valle import Valle

Passes = Callable[[Sequence[Example], int], Tensor]
"""Returns the states (b, n, d) of each example's last n positions."""

LEVELLESS = ("text", "language")
"""Segments whose embedding does not depend on the level."""


def level_passes(model: Valle) -> Passes:
    """The passes for the levels after the first, of samples that stay the same."""
    backbone = model.backbone
    causal = model.config.nar_attention == "causal" or not backbone.bidirectional
    apart = any(isinstance(m, Adapter) and m.terms.levels for m in model.modules())
    shares = causal and not apart and isinstance(backbone, Layered)
    return SharedHead(model) if shares else model.last_states


class SharedHead:
    """Reads the text once for all levels: causal states do not depend on what follows.

    From the level token on, everything depends on the level.
    """

    def __init__(self, model: Valle) -> None:
        self._model = model
        self._cache: LayeredCache | None = None

    def __call__(self, examples: Sequence[Example], count: int) -> Float[Tensor, "b n d"]:
        embedded = self._model.embedding(list(examples))
        heads = torch.tensor([_head(e) for e in examples], device=embedded.lengths.device)
        with self._model.predicting([e.level for e in examples]):
            cache = self._read(embedded, heads)
            rest = _piece(embedded, heads, embedded.lengths - heads)
            return states_at(self._model.backbone, rest, ends(rest, count), cache=cache)

    def _read(self, embedded: Embedded, heads: Int[Tensor, " b"]) -> LayeredCache:
        """A cache that holds only the heads."""
        if self._cache is not None:
            self._cache.rewind(heads)
            return self._cache
        backbone = self._model.backbone
        cache = backbone.new_cache(len(heads), int(embedded.lengths.max()))
        self._cache = cast("LayeredCache", cache)  # a `Layered` backbone has such
        if heads.any():
            head = _piece(embedded, torch.zeros_like(heads), heads)
            states_at(backbone, head, ends(head, 1), cache=cache)
        return self._cache


def _head(example: Example) -> int:
    """Positions before the first that depends on the level, separators included."""
    size = 0
    for segment in example.segments:
        if segment.name not in LEVELLESS:
            break
        size += len(segment) + 1
    return size


def _piece(embedded: Embedded, starts: Int[Tensor, " b"], lengths: Int[Tensor, " b"]) -> Embedded:
    """`lengths` positions of each row, from its start."""
    rows = torch.arange(len(starts), device=starts.device)[:, None]
    index = starts[:, None] + torch.arange(int(lengths.max()), device=starts.device)
    index = index.clamp(max=embedded.vectors.shape[1] - 1)
    return Embedded(
        vectors=embedded.vectors[rows, index],
        positions=embedded.positions[rows, index],
        lengths=lengths,
    )
