"""What the core relies on in a backbone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vall_e.decoding.ar.cuda_graphs import Replayed
from vall_e.errors import ConfigError
from vall_e.interfaces.backbone import Backbone, Cache, Gathering, SteadyCache, Stepping
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.requirements import require_close, require_equal, require_error
from vall_e.testing.fakes.fake_cuda_graph import record

B, T, D = 2, 7, 16
LENGTHS = torch.tensor([7, 4])
FULL = torch.tensor([T, T])


class BackboneContract:
    """`make` returns a freshly initialized backbone of width `D` (16), in eval mode.

    Each call gives the same weights. `uses_positions` is False for a backbone that infers positions
    from the order of the vectors, as a recurrent one does; `learns` is False for one whose weights
    can only be used for inference.
    """

    uses_positions = True
    learns = True

    def make(self) -> Backbone:
        raise NotImplementedError

    def test_keeps_the_shape(self) -> None:
        hidden, auxiliary = _run(self.make(), _vectors())
        assert hidden.shape == (B, T, D), (
            f"states have shape {tuple(hidden.shape)}, not {(B, T, D)}"
        )
        assert auxiliary.shape == (), (
            f"the auxiliary loss has shape {tuple(auxiliary.shape)}, not ()"
        )
        assert auxiliary.isfinite(), f"the auxiliary loss is {auxiliary.item()}: return 0 if unused"

    def test_states_what_it_can_do(self) -> None:
        backbone = self.make()
        assert backbone.d_model == D, f"d_model is {backbone.d_model}, the config says {D}"
        assert isinstance(backbone.bidirectional, bool), "`bidirectional` must be True or False"
        assert isinstance(backbone.caches, bool), "`caches` must be True or False"
        assert isinstance(backbone, nn.Module), "a backbone must be a torch.nn.Module"

    def test_the_same_input_gives_the_same_output(self) -> None:
        backbone, x = self.make(), _vectors()
        require_equal(
            _run(backbone, x)[0],
            _run(backbone, x)[0],
            "two passes differ in eval mode: dropout is active, or state is kept between passes",
        )

    def test_does_not_change_its_inputs(self) -> None:
        backbone, x, lengths, positions = self.make(), _vectors(), LENGTHS.clone(), _positions()
        with torch.no_grad():
            backbone(x, lengths=lengths, positions=positions)
        require_equal(x, _vectors(), "the input `x` was changed in place: work on a copy")
        require_equal(lengths, LENGTHS, "`lengths` was changed in place: work on a copy")
        require_equal(positions, _positions(), "`positions` was changed in place: work on a copy")

    def test_causal_does_not_see_the_future(self) -> None:
        backbone, x = self.make(), _vectors()
        for first in range(1, T):
            changed = x.clone()
            changed[:, first:] *= -1
            require_close(
                _run(backbone, x)[0][:, :first],
                _run(backbone, changed)[0][:, :first],
                f"states before position {first} change with later input: the causal mask leaks",
            )

    def test_sees_the_past(self) -> None:
        backbone, x = self.make(), _vectors()
        changed = x.clone()
        changed[:, 0] *= -1  # not + 1: a norm may cancel that
        before, after = _run(backbone, x)[0][:, 5], _run(backbone, changed)[0][:, 5]
        assert not torch.allclose(before, after), (
            "the state at position 5 ignores position 0: the mask may hide the past"
        )

    def test_bidirectional_sees_the_future(self) -> None:
        backbone, x = self.make(), _vectors()
        if not backbone.bidirectional:
            pytest.skip("this backbone declares that it is not bidirectional")
        changed = x.clone()
        changed[:, 6:] *= -1
        before = _run(backbone, x, causal=False)[0][:, :5]
        after = _run(backbone, changed, causal=False)[0][:, :5]
        assert not torch.allclose(before, after), (
            "with causal=False, earlier states ignore later input: set bidirectional = False, "
            "or apply the causal mask only if `causal`"
        )

    def test_each_row_uses_its_own_positions(self) -> None:
        backbone, x = self.make(), _vectors()
        positions = _positions().clone()
        positions[1] = torch.arange(T)  # the second row does not restart
        plain = _run(backbone, x)[0]
        moved = _run(backbone, x, positions=positions)[0]
        require_close(plain[0], moved[0], "the positions of one row change the states of another")
        ignored = torch.allclose(plain[1], moved[1], rtol=1e-4, atol=1e-5)
        assert ignored != self.uses_positions, (
            "other `positions` do not change the states: use them, or set uses_positions = False"
            if ignored
            else "uses_positions is False, but other `positions` change the states"
        )

    def test_padding_changes_nothing(self) -> None:
        backbone, x = self.make(), _vectors()
        noisy = x.clone()
        noisy[1, 4:] = 1e4
        for causal in _directions(backbone):
            plain, _ = _run(backbone, x, LENGTHS, causal=causal)
            padded, _ = _run(backbone, noisy, LENGTHS, causal=causal)
            require_close(
                plain[1, :4], padded[1, :4], "padding changes valid states: mask by `lengths`"
            )
            assert padded.isfinite().all(), "states in the padding are not finite"

    def test_a_row_is_the_same_alone(self) -> None:
        backbone, x = self.make(), _vectors()
        for causal in _directions(backbone):
            together, _ = _run(backbone, x, LENGTHS, causal=causal)
            for row, length in enumerate(LENGTHS.tolist()):
                alone, _ = _run(backbone, x[row : row + 1, :length], causal=causal)
                require_close(
                    together[row, :length],
                    alone[0],
                    f"row {row} differs alone and in a batch: rows or padding are mixed",
                )

    def test_mixed_precision_gives_about_the_same(self) -> None:
        backbone, x = self.make(), _vectors()
        plain, _ = _run(backbone, x)
        with torch.autocast("cpu", torch.bfloat16):
            mixed, _ = _run(backbone, x)
        message = "under bfloat16 autocast the states differ by more than 10 %"
        require_close(mixed.float(), plain, message, rtol=0.1, atol=0.1)

    @pytest.mark.parametrize("sizes", [[1] * T, [3, 1, 2, 1]], ids=["steps", "pieces"])
    def test_a_cache_gives_the_same_as_one_pass(self, sizes: list[int]) -> None:
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
        message = (
            "states with a cache differ from one pass: check positions and lengths of the cache"
        )
        require_close(torch.cat(pieces, dim=1), whole, message)
        assert cache.lengths.tolist() == [T, T], f"cache.lengths is {cache.lengths}, not {[T, T]}"
        assert cache.max_length == T, f"cache.max_length is {cache.max_length}, not {T}"

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
        cache = backbone.new_cache(B, T)  # exactly full at the end
        ends = torch.zeros(B, dtype=torch.long)
        for count in counts:
            lengths = torch.tensor(count)
            _go_on(backbone, cache, x, ends, lengths)
            ends = ends + lengths
        assert ends.tolist() == [T, 4]
        assert cache.lengths.tolist() == [T, 4], f"cache.lengths is {cache.lengths}, not {[T, 4]}"

    @pytest.mark.parametrize("rows", [[1], [0], [1, 0]], ids=str)
    def test_selected_rows_continue_unchanged(self, rows: list[int]) -> None:
        backbone, x = self._caching(), _vectors()
        cache, begun = backbone.new_cache(B, T), torch.tensor([5, 2])
        _go_on(backbone, cache, x, torch.zeros(B, dtype=torch.long), begun)
        kept, index = cache.select(torch.tensor(rows)), torch.tensor(rows)
        assert kept.lengths.tolist() == begun[index].tolist(), (
            f"after select({rows}) lengths is {kept.lengths}, not {begun[index]}"
        )
        assert kept.max_length == T, f"after select, max_length is {kept.max_length}, not {T}"
        one = torch.ones_like(index)
        for steps in range(2):
            _go_on(backbone, kept, x[index], begun[index] + steps, one)

    @pytest.mark.parametrize("recorded", [False, True], ids=["done", "recorded"])
    @pytest.mark.parametrize("begun", [(3, 3), (4, 2)], ids=["even", "uneven"])
    def test_a_step_equals_a_pass_over_one_position(
        self, begun: tuple[int, int], recorded: bool
    ) -> None:
        """For a backbone with its own `steps`, also after other rows have left."""
        backbone, x = self._caching(), _vectors()
        if not isinstance(backbone, Stepping):
            pytest.skip("this backbone has no `steps`")
        whole, _ = _run(backbone, x)
        cache, ends = backbone.new_cache(B, T), torch.tensor(begun)
        if recorded and not isinstance(cache, SteadyCache):
            pytest.skip("the steps of this backbone cannot be recorded")
        _go_on(backbone, cache, x, torch.zeros(B, dtype=torch.long), ends)
        rows, step = torch.arange(B), backbone.steps()
        if recorded:  # recorded again at the fifth position
            step = Replayed(step, record, stride=4)
        for count in range(3):
            if count == 2:
                rows, cache = torch.tensor([1]), cache.select(torch.tensor([1]))
            at = ends[rows] + count
            with torch.inference_mode():
                hidden = step(x[rows, at], _positions()[0][at], cache)
            require_close(hidden, whole[rows, at], f"step {count} differs from a pass over the row")
        assert cache.lengths.tolist() == [begun[1] + 3], "a step must add 1 to cache.lengths"

    def test_two_caches_share_nothing(self) -> None:
        backbone, x = self._caching(), _vectors()
        one, other = backbone.new_cache(B, T), backbone.new_cache(B, T)
        nothing, half = torch.zeros(B, dtype=torch.long), torch.full((B,), 3)
        _go_on(backbone, one, x, nothing, half)
        _go_on(backbone, other, -x, nothing, half)
        _go_on(backbone, one, x, half, half)

    @pytest.mark.parametrize("causal", [True, False])
    def test_wanted_states_equal_those_of_a_whole_pass(self, causal: bool) -> None:
        backbone, x = self.make(), _vectors()
        if not isinstance(backbone, Gathering) or causal not in _directions(backbone):
            pytest.skip("this backbone always returns all states")
        whole, _ = _run(backbone, x, LENGTHS, causal=causal)
        wanted = torch.tensor([[T - 1, 2], [1, 0]])
        with torch.no_grad():
            states, _ = backbone(
                x, lengths=LENGTHS, positions=_positions(), causal=causal, wanted=wanted
            )
        require_close(
            states,
            whole[torch.arange(B)[:, None], wanted],
            "the wanted states differ from those of a whole pass: check the gathering of positions",
        )

    def test_a_full_cache_is_refused(self) -> None:
        backbone = self._caching()
        cache = backbone.new_cache(B, T - 1)
        message = f"a cache of {T - 1} positions accepts {T}: raise ValueError with max_length"
        with require_error(ValueError, message, match=str(T - 1)), torch.no_grad():
            backbone(_vectors(), lengths=FULL, positions=_positions(), cache=cache)

    def test_gradients_reach_every_parameter(self) -> None:
        backbone = self._learning()
        assert isinstance(backbone, nn.Module)
        x = _vectors().requires_grad_()
        hidden, auxiliary = backbone(x, lengths=FULL, positions=_positions())
        torch.autograd.backward(hidden.square().sum() + auxiliary)
        missing = [name for name, p in backbone.named_parameters() if p.grad is None]
        assert missing == [], f"no gradient reaches {', '.join(missing)}: unused, or detached"
        assert x.grad is not None, "no gradient reaches the input: it is detached"
        assert x.grad.any(-1).all(), "no gradient reaches some input vectors"

    def test_in_training_a_row_depends_on_itself_and_not_on_padding(self) -> None:
        """By gradients, which are 0 for unused input whatever dropout does."""
        backbone = self._learning()
        for causal in _directions(backbone):
            x = _vectors().requires_grad_()
            hidden, auxiliary = backbone(x, lengths=LENGTHS, positions=_positions(), causal=causal)
            # The second-last valid state of the shorter row, which has a future and padding.
            own = torch.autograd.grad(hidden[1, 2, 0], x, retain_graph=True)[0]
            assert not own[0].any(), "a row depends on another row of the batch"
            assert not own[1, 4:].any(), "a state depends on padding: mask by `lengths`"
            assert not causal or not own[1, 3:].any(), (
                "a state depends on the future: check the mask"
            )
            assert own[1, 2].any(), "a state does not depend on its own input"
            if auxiliary.requires_grad:
                asked = torch.autograd.grad(auxiliary, x, allow_unused=True)[0]
                assert asked is None or not asked[1, 4:].any(), "the auxiliary loss counts padding"

    def test_many_positions_work(self) -> None:
        """As many as six seconds of speech have."""
        backbone, many = self.make(), 300
        x = torch.randn(1, many, D, generator=torch.Generator().manual_seed(0))
        positions = torch.arange(many)[None]
        whole = _far(backbone, x, positions)
        assert whole.isfinite().all(), f"states of {many} positions are not all finite"
        begun, _ = _run(backbone, x[:, :9], positions=positions[:, :9])
        require_close(
            whole[:, :9], begun, f"the first states of {many} positions differ from those of 9"
        )

    def test_positions_far_apart_differ(self) -> None:
        """A position table must not be too short, and must not wrap around."""
        backbone, x = self.make(), _vectors()[:1]
        if not self.uses_positions:
            pytest.skip("this backbone declares that it does not use positions")
        ends: list[Tensor] = []
        for last in (6, 7, 10, 70, 262):
            positions = torch.tensor([[0, 1, 2, 3, 4, 5, last]])
            end = _far(backbone, x, positions)[:, -1]
            assert not any(torch.equal(end, other) for other in ends), (
                f"position {last} gives the same state as another: a table too short, or wrapped "
                "around"
            )
            ends.append(end)

    def test_all_tensors_move_with_the_module(self) -> None:
        """A tensor that is not a parameter or buffer is left behind when the model is moved."""
        backbone = self.make()
        assert isinstance(backbone, nn.Module)
        behind = [
            f"{type(part).__name__}.{name}"
            for part in backbone.modules()
            for name, value in vars(part).items()
            if isinstance(value, Tensor)
        ]
        assert behind == [], (
            f"{', '.join(behind)} stay behind when the module moves: "
            "use register_buffer(..., persistent=False)"
        )

    def _learning(self) -> Backbone:
        backbone = self.make()
        assert isinstance(backbone, nn.Module)
        if not self.learns:
            pytest.skip("its weights can only be used for inference")
        backbone.train()
        return backbone

    def _caching(self) -> Backbone:
        backbone = self.make()
        if not backbone.caches:
            pytest.skip("this backbone declares that it has no cache")
        return backbone


def _directions(backbone: Backbone) -> list[bool]:
    """The allowed values of `causal`."""
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
    """The states; positions beyond a configured limit may be refused, with a message."""
    try:
        return _run(backbone, x, positions=positions)[0]
    except ConfigError as exc:
        pytest.skip(exc.message)


def _go_on(backbone: Backbone, cache: Cache, x: Tensor, starts: Tensor, lengths: Tensor) -> None:
    """Give each row of the cache its next vectors of `x`; compare with a pass without a cache."""
    size = int(lengths.max())
    index = (starts[:, None] + torch.arange(size)).clamp(max=T - 1)
    row = torch.arange(len(x))[:, None]
    noise = torch.full((len(x), size, D), 50.0)  # the content of the padding must not matter
    piece = x[row, index].where((torch.arange(size) < lengths[:, None])[..., None], noise)
    positions = _positions()[0][index]
    with torch.no_grad():
        hidden, _ = backbone(piece, lengths=lengths, positions=positions, cache=cache)
    whole, _ = _run(backbone, x)
    for i, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        require_close(
            hidden[i, :length],
            whole[i, start : start + length],
            f"row {i} with a cache differs from a pass without one at positions {start} to "
            f"{start + length - 1}: check the cache's lengths, positions and mask",
        )


def _vectors() -> Tensor:
    return torch.randn(B, T, D, generator=torch.Generator().manual_seed(0))


def _positions() -> Tensor:
    """They start again, as in a sequence of segments."""
    return torch.tensor([0, 1, 2, 0, 1, 2, 3]).expand(B, -1)
