"""What LayerSkip relies on in a backbone whose layers run one by one."""

from __future__ import annotations

import torch
from torch import Tensor

from vall_e.interfaces.backbone import Backbone, Layered, LayeredCache

B, T, D = 2, 6, 16
LENGTHS = torch.tensor([6, 3])


class LayeredContract:
    """Beside `BackboneContract`. `make` returns a backbone of width `D` (16) and two layers or
    more, in eval mode; each call gives the same weights.
    """

    def make(self) -> Backbone:
        raise NotImplementedError

    def test_says_that_it_has_layers(self) -> None:
        backbone = self.make()
        assert isinstance(backbone, Layered)
        assert backbone.depth >= 2
        assert isinstance(backbone.new_cache(B, T), LayeredCache)

    def test_its_layers_one_by_one_are_one_pass(self) -> None:
        backbone, x = self.make(), _vectors()
        whole = _whole(backbone, x)
        for layer in range(_depth(backbone)):
            x = _span(backbone, x, layer, layer + 1)
        assert isinstance(backbone, Layered)
        for row, length in enumerate(LENGTHS.tolist()):
            _close(backbone.exit(x)[row, :length], whole[row, :length])

    def test_layers_are_caught_up_with_from_a_cache(self) -> None:
        """The first layers a position at a time; then the others, for all positions at once."""
        backbone, x = self.make(), _vectors()
        assert isinstance(backbone, Layered)
        cache, whole = backbone.new_cache(B, T), _whole(backbone, x)
        assert isinstance(cache, LayeredCache)
        halfway = []
        for place in range(T):
            lengths = (place < LENGTHS).long()
            halfway.append(_span(backbone, x, 0, 1, cache, lengths, place, place + 1))
        assert cache.lengths.tolist() == LENGTHS.tolist()
        cache.rewind(torch.zeros(B, dtype=torch.long))
        states = torch.cat(halfway, dim=1)
        rest = backbone.exit(_span(backbone, states, 1, _depth(backbone), cache))
        for row, length in enumerate(LENGTHS.tolist()):
            _close(rest[row, :length], whole[row, :length])

    def test_a_cache_goes_on_from_where_it_was_rewound_to(self) -> None:
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
            assert cache.lengths.tolist() == kept.tolist()
            index = kept[:, None] + torch.arange(T - 2)
            rest = x[torch.arange(B)[:, None], index]
            hidden, _ = backbone(rest, lengths=full - 2, positions=index, cache=cache)
        whole = _whole(backbone, x, full)
        for row, start in enumerate(kept.tolist()):
            _close(hidden[row], whole[row, start : start + T - 2])


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


def _close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
