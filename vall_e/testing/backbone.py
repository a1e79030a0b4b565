"""What the core relies on in a backbone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vall_e.interfaces import Backbone

B, T, D = 2, 7, 16
LENGTHS = torch.tensor([7, 4])
FULL = torch.tensor([T, T])


class BackboneContract:
    """`make` returns a freshly initialised backbone of width `D` (16), in eval mode."""

    def make(self) -> Backbone:
        raise NotImplementedError

    def test_keeps_the_shape(self) -> None:
        hidden, auxiliary = _run(self.make(), _vectors())
        assert hidden.shape == (B, T, D)
        assert auxiliary.shape == ()

    def test_states_what_it_can_do(self) -> None:
        backbone = self.make()
        assert backbone.d_model == D
        assert isinstance(backbone.bidirectional, bool)
        assert isinstance(backbone.caches, bool)
        assert isinstance(backbone, nn.Module)

    def test_causal_does_not_see_the_future(self) -> None:
        backbone, x = self.make(), _vectors()
        changed = x.clone()
        changed[:, 5:] += 1
        _close(_run(backbone, x)[0][:, :5], _run(backbone, changed)[0][:, :5])

    def test_sees_the_past(self) -> None:
        backbone, x = self.make(), _vectors()
        changed = x.clone()
        changed[:, 0] += 1
        assert not torch.allclose(_run(backbone, x)[0][:, 5], _run(backbone, changed)[0][:, 5])

    def test_both_ways_sees_the_future(self) -> None:
        backbone, x = self.make(), _vectors()
        if not backbone.bidirectional:
            pytest.skip("this backbone says that it cannot look both ways")
        changed = x.clone()
        changed[:, 6:] += 1
        before = _run(backbone, x, causal=False)[0][:, :5]
        assert not torch.allclose(before, _run(backbone, changed, causal=False)[0][:, :5])

    def test_padding_changes_nothing(self) -> None:
        backbone, x = self.make(), _vectors()
        noisy = x.clone()
        noisy[1, 4:] = 1e4
        for causal in {True, not backbone.bidirectional}:
            plain, _ = _run(backbone, x, LENGTHS, causal=causal)
            padded, _ = _run(backbone, noisy, LENGTHS, causal=causal)
            _close(plain[1, :4], padded[1, :4])
            assert padded.isfinite().all()

    def test_a_row_is_the_same_alone(self) -> None:
        backbone, x = self.make(), _vectors()
        for causal in {True, not backbone.bidirectional}:
            together, _ = _run(backbone, x, LENGTHS, causal=causal)
            alone, _ = _run(backbone, x[1:, :4], LENGTHS[1:], causal=causal)
            _close(together[1:, :4], alone)

    def test_steps_equal_one_pass(self) -> None:
        self._compare_in_pieces([1] * T)

    def test_pieces_equal_one_pass(self) -> None:
        self._compare_in_pieces([3, 1, 2, 1])

    def _compare_in_pieces(self, sizes: list[int]) -> None:
        backbone, x = self.make(), _vectors()
        if not backbone.caches:
            pytest.skip("this backbone says that it has no cache")
        whole, _ = _run(backbone, x)
        cache, start, pieces = backbone.new_cache(B, T), 0, []
        for size in sizes:
            piece, positions = x[:, start : start + size], _positions()[:, start : start + size]
            lengths = torch.full((B,), size)
            with torch.no_grad():
                hidden, _ = backbone(piece, lengths=lengths, positions=positions, cache=cache)
            pieces.append(hidden)
            start += size
        _close(torch.cat(pieces, dim=1), whole)
        assert cache.lengths.tolist() == [T, T]

    def test_rows_of_different_length_go_on_in_one_cache(self) -> None:
        backbone, x = self.make(), _vectors()
        if not backbone.caches:
            pytest.skip("this backbone says that it has no cache")
        step = torch.randn(B, 1, D, generator=torch.Generator().manual_seed(1))
        cache = backbone.new_cache(B, T + 1)
        with torch.no_grad():
            backbone(x, lengths=LENGTHS, positions=_positions(), cache=cache)
            together, _ = backbone(
                step, lengths=torch.ones(B).long(), positions=LENGTHS[:, None], cache=cache
            )
        alone, _ = _run(backbone, torch.cat([x[1:, :4], step[1:]], dim=1), torch.tensor([5]))
        _close(together[1, 0], alone[0, 4])
        kept = cache.select(torch.tensor([1]))
        assert kept.lengths.tolist() == [5]

    def test_a_full_cache_is_refused(self) -> None:
        backbone = self.make()
        if not backbone.caches:
            pytest.skip("this backbone says that it has no cache")
        cache = backbone.new_cache(B, T - 1)
        with pytest.raises(ValueError, match=str(T - 1)), torch.no_grad():
            backbone(_vectors(), lengths=FULL, positions=_positions(), cache=cache)

    def test_gradients_reach_every_parameter(self) -> None:
        backbone = self.make()
        assert isinstance(backbone, nn.Module)
        hidden, auxiliary = backbone.train()(_vectors(), lengths=FULL, positions=_positions())
        torch.autograd.backward(hidden.square().sum() + auxiliary)
        missing = [name for name, p in backbone.named_parameters() if p.grad is None]
        assert missing == []


def _run(
    backbone: Backbone, x: Tensor, lengths: Tensor | None = None, *, causal: bool = True
) -> tuple[Tensor, Tensor]:
    b, t, _ = x.shape
    full = torch.full((b,), t)
    with torch.no_grad():
        return backbone(
            x,
            lengths=full if lengths is None else lengths,
            positions=torch.arange(t).expand(b, -1),
            causal=causal,
        )


def _vectors() -> Tensor:
    return torch.randn(B, T, D, generator=torch.Generator().manual_seed(0))


def _positions() -> Tensor:
    return torch.arange(T).expand(B, -1)


def _close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
