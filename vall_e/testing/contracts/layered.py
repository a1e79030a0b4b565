"""What LayerSkip relies on in a backbone whose layers run one by one."""

from __future__ import annotations

import torch
from torch import Tensor

from vall_e.interfaces.backbone import Backbone, Layered, LayeredCache
from vall_e.testing.contracts.requirements import require_close

B, T, D = 2, 6, 16
LENGTHS = torch.tensor([6, 3])


class LayeredContract:
    """Laws besides those of `BackboneContract`.

    `make` returns a backbone of width `D` (16) with at least two layers, in eval mode; each call
    gives the same weights.
    """

    def make(self) -> Backbone:
        raise NotImplementedError

    def test_declares_its_layers(self) -> None:
        backbone = self.make()
        assert isinstance(backbone, Layered), "it lacks `depth`, `span` or `exit`"
        assert backbone.depth >= 2, f"depth is {backbone.depth}, the contract needs 2 or more"
        assert isinstance(backbone.new_cache(B, T), LayeredCache), "its cache has no `rewind`"

    def test_layers_one_by_one_equal_one_pass(self) -> None:
        backbone, x = self.make(), _vectors()
        whole = _whole(backbone, x)
        for layer in range(_depth(backbone)):
            x = _span(backbone, x, layer, layer + 1)
        assert isinstance(backbone, Layered)
        for row, length in enumerate(LENGTHS.tolist()):
            require_close(
                backbone.exit(x)[row, :length],
                whole[row, :length],
                "running all layers by `span`, then `exit`, differs from one pass",
            )

    def test_later_layers_can_catch_up_from_a_cache(self) -> None:
        """The first layers one position at a time; then the others, for all positions at once."""
        backbone, x = self.make(), _vectors()
        assert isinstance(backbone, Layered)
        cache, whole = backbone.new_cache(B, T), _whole(backbone, x)
        assert isinstance(cache, LayeredCache)
        halfway = []
        for place in range(T):
            lengths = (place < LENGTHS).long()
            halfway.append(_span(backbone, x, 0, 1, cache, lengths, place, place + 1))
        assert cache.lengths.tolist() == LENGTHS.tolist(), (
            f"cache.lengths is {cache.lengths} after `span`, not {LENGTHS}"
        )
        cache.rewind(torch.zeros(B, dtype=torch.long))
        states = torch.cat(halfway, dim=1)
        rest = backbone.exit(_span(backbone, states, 1, _depth(backbone), cache))
        for row, length in enumerate(LENGTHS.tolist()):
            require_close(
                rest[row, :length],
                whole[row, :length],
                "later layers run over cached earlier ones differ from one pass: "
                "each layer needs its own part of the cache",
            )

    def test_a_cache_continues_from_where_it_was_rewound_to(self) -> None:
        backbone, x = self.make(), _vectors()
        cache = backbone.new_cache(B, T)
        assert isinstance(cache, LayeredCache)
        wrong = x.clone()
        wrong[:, 2:] += 3
        full = torch.full((B,), T)
        with torch.no_grad():
            backbone(wrong, lengths=full, positions=_positions(), cache=cache)
            kept = torch.tensor([2, 1])
            cache.rewind(kept)
            assert cache.lengths.tolist() == kept.tolist(), (
                f"after rewind({kept.tolist()}) cache.lengths is {cache.lengths}"
            )
            index = kept[:, None] + torch.arange(T - 2)
            rest = x[torch.arange(B)[:, None], index]
            hidden, _ = backbone(rest, lengths=full - 2, positions=index, cache=cache)
        whole = _whole(backbone, x, full)
        for row, start in enumerate(kept.tolist()):
            require_close(
                hidden[row],
                whole[row, start : start + T - 2],
                "after `rewind`, states differ from a fresh pass: old positions are still visible",
            )


def _depth(backbone: Backbone) -> int:
    assert isinstance(backbone, Layered)
    return backbone.depth


def _span(
    backbone: Backbone,
    x: Tensor,
    first: int,
    last: int,
    cache: LayeredCache | None = None,
    lengths: Tensor = LENGTHS,
    start: int = 0,
    end: int = T,
) -> Tensor:
    assert isinstance(backbone, Layered)
    with torch.no_grad():
        states, _ = backbone.span(
            x[:, start:end],
            first=first,
            last=last,
            lengths=lengths,
            positions=_positions()[:, start:end],
            cache=cache,
        )
    return states


def _whole(backbone: Backbone, x: Tensor, lengths: Tensor = LENGTHS) -> Tensor:
    with torch.no_grad():
        hidden, _ = backbone(x, lengths=lengths, positions=_positions())
    return hidden


def _vectors() -> Tensor:
    return torch.randn(B, T, D, generator=torch.Generator().manual_seed(0))


def _positions() -> Tensor:
    return torch.arange(T).expand(B, -1)
