"""What the core relies on in a backbone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vall_e.decoding.ar.cuda_graphs import Replayed
from vall_e.errors import ConfigError
from vall_e.interfaces.backbone import Backbone, Cache, Gathering, SteadyCache, Stepping
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.fakes.fake_cuda_graph import record

B, T, D = 2, 7, 16
LENGTHS = torch.tensor([7, 4])
FULL = torch.tensor([T, T])


class BackboneContract:
    """`make` returns a freshly initialised backbone of width `D` (16), in eval mode.

    Each call gives the same weights. `uses_positions` is false for a backbone that takes the
    order of the vectors for their positions, as a recurrent one does; `learns` for one with weights
    to speak with only.
    """

    uses_positions = True
    learns = True

    def make(self) -> Backbone:
        raise NotImplementedError

    def test_keeps_the_shape(self) -> None:
        hidden, auxiliary = _run(self.make(), _vectors())
        assert hidden.shape == (B, T, D)
        assert auxiliary.shape == ()
        assert auxiliary.isfinite()

    def test_states_what_it_can_do(self) -> None:
        backbone = self.make()
        assert backbone.d_model == D
        assert isinstance(backbone.bidirectional, bool)
        assert isinstance(backbone.caches, bool)
        assert isinstance(backbone, nn.Module)

    def test_the_same_input_gives_the_same_output(self) -> None:
        backbone, x = self.make(), _vectors()
        assert torch.equal(_run(backbone, x)[0], _run(backbone, x)[0])

    def test_leaves_its_inputs_alone(self) -> None:
        backbone, x, lengths, positions = self.make(), _vectors(), LENGTHS.clone(), _positions()
        with torch.no_grad():
            backbone(x, lengths=lengths, positions=positions)
        assert torch.equal(x, _vectors())
        assert torch.equal(lengths, LENGTHS)
        assert torch.equal(positions, _positions())

    def test_causal_does_not_see_the_future(self) -> None:
        backbone, x = self.make(), _vectors()
        for first in range(1, T):
            changed = x.clone()
            changed[:, first:] *= -1
            _close(_run(backbone, x)[0][:, :first], _run(backbone, changed)[0][:, :first])

    def test_sees_the_past(self) -> None:
        backbone, x = self.make(), _vectors()
        changed = x.clone()
        changed[:, 0] *= -1  # not + 1: a norm may take that away
        assert not torch.allclose(_run(backbone, x)[0][:, 5], _run(backbone, changed)[0][:, 5])

    def test_both_ways_sees_the_future(self) -> None:
        backbone, x = self.make(), _vectors()
        if not backbone.bidirectional:
            pytest.skip("this backbone says that it cannot look both ways")
        changed = x.clone()
        changed[:, 6:] *= -1
        before = _run(backbone, x, causal=False)[0][:, :5]
        assert not torch.allclose(before, _run(backbone, changed, causal=False)[0][:, :5])

    def test_each_row_hears_its_own_positions(self) -> None:
        backbone, x = self.make(), _vectors()
        positions = _positions().clone()
        positions[1] = torch.arange(T)  # the second row does not restart
        plain = _run(backbone, x)[0]
        moved = _run(backbone, x, positions=positions)[0]
        _close(plain[0], moved[0])
        assert torch.allclose(plain[1], moved[1], rtol=1e-4, atol=1e-5) != self.uses_positions

    def test_padding_changes_nothing(self) -> None:
        backbone, x = self.make(), _vectors()
        noisy = x.clone()
        noisy[1, 4:] = 1e4
        for causal in _directions(backbone):
            plain, _ = _run(backbone, x, LENGTHS, causal=causal)
            padded, _ = _run(backbone, noisy, LENGTHS, causal=causal)
            _close(plain[1, :4], padded[1, :4])
            assert padded.isfinite().all()

    def test_a_row_is_the_same_alone(self) -> None:
        backbone, x = self.make(), _vectors()
        for causal in _directions(backbone):
            together, _ = _run(backbone, x, LENGTHS, causal=causal)
            for row, length in enumerate(LENGTHS.tolist()):
                alone, _ = _run(backbone, x[row : row + 1, :length], causal=causal)
                _close(together[row, :length], alone[0])

    def test_mixed_precision_says_about_the_same(self) -> None:
        backbone, x = self.make(), _vectors()
        plain, _ = _run(backbone, x)
        with torch.autocast("cpu", torch.bfloat16):
            mixed, _ = _run(backbone, x)
        torch.testing.assert_close(mixed.float(), plain, rtol=0.1, atol=0.1)

    @pytest.mark.parametrize("sizes", [[1] * T, [3, 1, 2, 1]], ids=["steps", "pieces"])
    def test_a_cache_gives_what_one_pass_gives(self, sizes: list[int]) -> None:
        backbone, x = self._caching(), _vectors()
        whole, _ = _run(backbone, x)
        cache, start, pieces = backbone.new_cache(B, T), 0, []
        for size in sizes:
            end = start + size
            with torch.no_grad():
                hidden, _ = backbone(
                    x[:, start:end],
                    lengths=torch.full((B,), size),
                    positions=_positions()[:, start:end],
                    cache=cache,
                )
            pieces.append(hidden)
            start = end
        _close(torch.cat(pieces, dim=1), whole)
        assert cache.lengths.tolist() == [T, T]
        assert cache.max_length == T

    @pytest.mark.parametrize(
        "counts",
        [
            [(3, 1), (4, 3)],
            [(3, 4), (1, 0), (1, 0), (1, 0), (1, 0)],
            [(6, 2), (0, 1), (1, 1)],
            [(6, 2), (1, 2)],
        ],
        ids=["pieces", "one row waits", "the longer row waits", "padding at the end"],
    )
    def test_rows_of_one_cache_grow_each_at_its_own_pace(
        self, counts: list[tuple[int, int]]
    ) -> None:
        backbone, x = self._caching(), _vectors()
        cache = backbone.new_cache(B, T)  # no place to spare
        ends = torch.zeros(B, dtype=torch.long)
        for count in counts:
            lengths = torch.tensor(count)
            _go_on(backbone, cache, x, ends, lengths)
            ends = ends + lengths
        assert ends.tolist() == [T, 4]
        assert cache.lengths.tolist() == [T, 4]

    @pytest.mark.parametrize("rows", [[1], [0], [1, 0]], ids=str)
    def test_selected_rows_go_on_as_before(self, rows: list[int]) -> None:
        backbone, x = self._caching(), _vectors()
        cache, begun = backbone.new_cache(B, T), torch.tensor([5, 2])
        _go_on(backbone, cache, x, torch.zeros(B, dtype=torch.long), begun)
        kept, index = cache.select(torch.tensor(rows)), torch.tensor(rows)
        assert kept.lengths.tolist() == begun[index].tolist()
        assert kept.max_length == T
        one = torch.ones_like(index)
        for steps in range(2):
            _go_on(backbone, kept, x[index], begun[index] + steps, one)

    @pytest.mark.parametrize("recorded", [False, True], ids=["done", "recorded"])
    @pytest.mark.parametrize("begun", [(3, 3), (4, 2)], ids=["even", "uneven"])
    def test_a_step_is_a_pass_over_one_position_of_each_row(
        self, begun: tuple[int, int], recorded: bool
    ) -> None:
        """For a backbone with a way of its own: also in rows that others have left."""
        backbone, x = self._caching(), _vectors()
        if not isinstance(backbone, Stepping):
            pytest.skip("this backbone has no way of its own")
        whole, _ = _run(backbone, x)
        cache, ends = backbone.new_cache(B, T), torch.tensor(begun)
        if recorded and not isinstance(cache, SteadyCache):
            pytest.skip("no step of this backbone can be recorded")
        _go_on(backbone, cache, x, torch.zeros(B, dtype=torch.long), ends)
        rows, step = torch.arange(B), backbone.steps()
        if recorded:  # anew at the fifth position
            step = Replayed(step, record, stride=4)
        for count in range(3):
            if count == 2:
                rows, cache = torch.tensor([1]), cache.select(torch.tensor([1]))
            at = ends[rows] + count
            with torch.inference_mode():
                hidden = step(x[rows, at], _positions()[0][at], cache)
            _close(hidden, whole[rows, at])
        assert cache.lengths.tolist() == [begun[1] + 3]

    def test_two_caches_share_nothing(self) -> None:
        backbone, x = self._caching(), _vectors()
        one, other = backbone.new_cache(B, T), backbone.new_cache(B, T)
        nothing, half = torch.zeros(B, dtype=torch.long), torch.full((B,), 3)
        _go_on(backbone, one, x, nothing, half)
        _go_on(backbone, other, -x, nothing, half)
        _go_on(backbone, one, x, half, half)

    @pytest.mark.parametrize("causal", [True, False])
    def test_wanted_states_are_those_of_a_whole_pass(self, causal: bool) -> None:
        backbone, x = self.make(), _vectors()
        if not isinstance(backbone, Gathering) or causal not in _directions(backbone):
            pytest.skip("this backbone gives all states")
        whole, _ = _run(backbone, x, LENGTHS, causal=causal)
        wanted = torch.tensor([[T - 1, 2], [1, 0]])
        with torch.no_grad():
            states, _ = backbone(
                x, lengths=LENGTHS, positions=_positions(), causal=causal, wanted=wanted
            )
        _close(states, whole[torch.arange(B)[:, None], wanted])

    def test_a_full_cache_is_refused(self) -> None:
        backbone = self._caching()
        cache = backbone.new_cache(B, T - 1)
        with pytest.raises(ValueError, match=str(T - 1)), torch.no_grad():
            backbone(_vectors(), lengths=FULL, positions=_positions(), cache=cache)

    def test_gradients_reach_every_parameter(self) -> None:
        backbone = self._learning()
        assert isinstance(backbone, nn.Module)
        x = _vectors().requires_grad_()
        hidden, auxiliary = backbone(x, lengths=FULL, positions=_positions())
        torch.autograd.backward(hidden.square().sum() + auxiliary)
        missing = [name for name, p in backbone.named_parameters() if p.grad is None]
        assert missing == []
        assert x.grad is not None
        assert x.grad.any(-1).all()

    def test_in_training_a_row_hears_itself_and_no_padding(self) -> None:
        """By gradients, so that dropout does no matter: what is not heard has one of 0."""
        backbone = self._learning()
        for causal in _directions(backbone):
            x = _vectors().requires_grad_()
            hidden, auxiliary = backbone(x, lengths=LENGTHS, positions=_positions(), causal=causal)
            # The last valid state of the shorter row but one, which has a future and padding.
            own = torch.autograd.grad(hidden[1, 2, 0], x, retain_graph=True)[0]
            assert not own[0].any(), "a row hears another"
            assert not own[1, 4:].any(), "padding is heard"
            assert not causal or not own[1, 3:].any(), "the future is heard"
            assert own[1, 2].any()
            if auxiliary.requires_grad:
                asked = torch.autograd.grad(auxiliary, x, allow_unused=True)[0]
                assert asked is None or not asked[1, 4:].any(), "its loss counts padding"

    def test_many_positions_are_no_trouble(self) -> None:
        """As many as six seconds of speech have."""
        backbone, many = self.make(), 300
        x = torch.randn(1, many, D, generator=torch.Generator().manual_seed(0))
        positions = torch.arange(many)[None]
        whole = _far(backbone, x, positions)
        assert whole.isfinite().all()
        begun, _ = _run(backbone, x[:, :9], positions=positions[:, :9])
        _close(whole[:, :9], begun)

    def test_positions_far_apart_are_told_from_each_other(self) -> None:
        """A table of them must neither end soon nor begin anew."""
        backbone, x = self.make(), _vectors()[:1]
        if not self.uses_positions:
            pytest.skip("this backbone says that it hears no positions")
        ends: list[Tensor] = []
        for last in (6, 7, 10, 70, 262):
            positions = torch.tensor([[0, 1, 2, 3, 4, 5, last]])
            end = _far(backbone, x, positions)[:, -1]
            assert not any(torch.equal(end, other) for other in ends), f"position {last} is another"
            ends.append(end)

    def test_all_its_tensors_go_where_it_goes(self) -> None:
        """A tensor that is no parameter and no buffer stays behind when the model is moved."""
        backbone = self.make()
        assert isinstance(backbone, nn.Module)
        behind = [
            f"{type(part).__name__}.{name}"
            for part in backbone.modules()
            for name, value in vars(part).items()
            if isinstance(value, Tensor)
        ]
        assert behind == [], "register_buffer(..., persistent=False) takes what is computed"

    def _learning(self) -> Backbone:
        backbone = self.make()
        assert isinstance(backbone, nn.Module)
        if not self.learns:
            pytest.skip("its weights are to speak with only")
        backbone.train()
        return backbone

    def _caching(self) -> Backbone:
        backbone = self.make()
        if not backbone.caches:
            pytest.skip("this backbone says that it has no cache")
        return backbone


def _directions(backbone: Backbone) -> list[bool]:
    """What `causal` may be."""
    return [True, False] if backbone.bidirectional else [True]


def _run(
    backbone: Backbone,
    x: Tensor,
    lengths: Tensor | None = None,
    *,
    positions: Tensor | None = None,
    causal: bool = True,
) -> tuple[Tensor, Tensor]:
    b, t, _ = x.shape
    full = torch.full((b,), t)
    with torch.no_grad():
        return backbone(
            x,
            lengths=full if lengths is None else lengths,
            positions=_positions()[:b, :t] if positions is None else positions,
            causal=causal,
        )


def _far(backbone: Backbone, x: Tensor, positions: Tensor) -> Tensor:
    """The states; a position that a config limits may be refused, if the user is told why."""
    try:
        return _run(backbone, x, positions=positions)[0]
    except ConfigError as exc:
        pytest.skip(exc.message)


def _go_on(backbone: Backbone, cache: Cache, x: Tensor, starts: Tensor, lengths: Tensor) -> None:
    """Give each row of the cache its next vectors of `x`; hold it against a pass without one."""
    size = int(lengths.max())
    index = (starts[:, None] + torch.arange(size)).clamp(max=T - 1)
    row = torch.arange(len(x))[:, None]
    noise = torch.full((len(x), size, D), 50.0)  # what stands in the padding must not matter
    piece = x[row, index].where((torch.arange(size) < lengths[:, None])[..., None], noise)
    positions = _positions()[0][index]
    with torch.no_grad():
        hidden, _ = backbone(piece, lengths=lengths, positions=positions, cache=cache)
    whole, _ = _run(backbone, x)
    for i, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        _close(hidden[i, :length], whole[i, start : start + length])


def _vectors() -> Tensor:
    return torch.randn(B, T, D, generator=torch.Generator().manual_seed(0))


def _positions() -> Tensor:
    """They restart, as in a sequence of segments."""
    return torch.tensor([0, 1, 2, 0, 1, 2, 3]).expand(B, -1)


def _close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
