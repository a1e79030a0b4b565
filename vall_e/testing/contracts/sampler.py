"""What every sampler must do, be it a logits processor or a draw."""

import math
from contextlib import nullcontext

import torch
from torch import Tensor

from vall_e.categorical import draw_categorical
from vall_e.interfaces.sampling import Draw, LogitsProcessor, Sampler, Stateful
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.requirements import require_equal
from vall_e.testing.fakes.gpu_sync_probe import WaitsForNothing

ROWS, SIZE, LENGTH = 6, 12, 20
DRAWS = 3000
"""Enough to detect a deviation of 5 % in a common token; takes 10 ms."""


class SamplerContract:
    """`make` returns a new sampler with ordinary options; `SIZE` tokens are sampled from."""

    reorders = False
    """The likeliest token may change, however sure the model is (as with a penalty)."""
    looks = False
    """It needs values on the host, which synchronizes with the GPU at each frame."""

    def make(self) -> Sampler:
        raise NotImplementedError

    def probabilities(self, history: Tensor, logits: Tensor) -> Tensor | None:
        """The probability of each token in a new draw, (b, v); None: not stated.

        For samplers that draw in their own way. A processor need not state it.
        """
        return None

    def test_is_a_processor_or_a_draw_and_not_both(self) -> None:
        sampler = self.make()
        is_processor, is_draw = isinstance(sampler, LogitsProcessor), isinstance(sampler, Draw)
        assert is_processor != is_draw, "define `__call__` or `draw`, and not both"

    def test_does_not_change_its_inputs(self) -> None:
        history, logits = _history(), _logits()
        before = history.clone(), logits.clone()
        _tokens(self.make(), history, logits)
        require_equal(history, before[0], "`history` was changed in place: work on a copy")
        require_equal(logits, before[1], "`logits` was changed in place: work on a copy")

    def test_keeps_the_shape(self) -> None:
        sampler = self.make()
        if isinstance(sampler, Draw):
            drawn = sampler.draw(_history(), _logits(), _generators())
            assert drawn.shape == (ROWS,), f"tokens have shape {tuple(drawn.shape)}, not {(ROWS,)}"
            assert drawn.dtype == torch.long, f"tokens are {drawn.dtype}, not torch.long"
        else:
            shape = tuple(sampler(_history(), _logits()).shape)
            assert shape == (ROWS, SIZE), f"logits have shape {shape}, not {(ROWS, SIZE)}"

    def test_same_seeds_give_the_same_tokens(self) -> None:
        for seed in range(20):
            first, second = (
                _tokens(self.make(), _history(), _logits(), seed=seed) for _ in range(2)
            )
            require_equal(first, second, f"seed {seed} gives different tokens: use `generators`")

    def test_a_row_draws_the_same_alone_and_in_a_batch(self) -> None:
        history, logits = _history(), _logits()
        together = _tokens(self.make(), history, logits)
        for row in range(ROWS):
            alone = _tokens(
                self.make(), history[row : row + 1], logits[row : row + 1], generators=_one(row)
            )
            assert alone.item() == together[row], (
                f"row {row} draws {alone.item()} alone and {together[row]} in a batch: "
                "use generators[row] for row `row` only, and no values of other rows"
            )

    def test_never_draws_an_impossible_token(self) -> None:
        logits = _logits()
        logits[:, ::2] = float("-inf")
        for seed in range(100):
            drawn = _tokens(self.make(), _history(), logits, seed=seed)
            assert (drawn % 2 == 1).all(), f"a token with logit -inf was drawn: {drawn.tolist()}"

    def test_draws_the_only_possible_token(self) -> None:
        only = torch.arange(SIZE)
        logits = torch.full((SIZE, SIZE), float("-inf")).fill_diagonal_(-3.0)
        history = _history()[:1].expand(SIZE, -1).contiguous()
        for seed in range(20):
            generators = [generator for row in range(SIZE) for generator in _one(row, seed)]
            drawn = _tokens(self.make(), history, logits, generators=generators)
            require_equal(drawn, only, "the only token with a finite logit was not drawn")

    def test_each_row_seed_and_frame_draws_independently(self) -> None:
        logits = (_logits()[:1] / 8).expand(ROWS, -1).contiguous()  # equal rows, nearly flat
        drawn = torch.stack([self._twice(logits, seed) for seed in range(12)])  # (seed, frame, b)
        if torch.equal(drawn, logits.argmax(-1).expand_as(drawn)):
            pytest.skip("it always takes the likeliest token")
        assert not torch.equal(drawn, drawn[..., :1].expand_as(drawn)), (
            "all rows draw the same tokens: use one generator per row"
        )
        assert not torch.equal(drawn, drawn[:1].expand_as(drawn)), (
            "all seeds draw the same tokens: use `generators`"
        )
        assert not torch.equal(drawn[:, 0], drawn[:, 1]), (
            "the next frame draws the same tokens: do not seed the generators again"
        )

    def test_draws_with_the_stated_probabilities(self) -> None:
        """By Pearson's chi-square, with a fixed seed and a bound that random error never
        reaches."""
        for row in range(4):
            logits = _logits()[row : row + 1].expand(DRAWS, -1).contiguous()
            history = _history()[row : row + 1]
            if row % 2:  # a history of nothing but the likeliest token
                history = logits[:1].argmax(-1, keepdim=True).expand(1, LENGTH)
            said = self.probabilities(history, logits[:1])
            if said is None:
                pytest.skip("it does not state the probabilities of its tokens")
            sampler, generators = self.make(), [torch.Generator().manual_seed(row)] * DRAWS
            drawn = _tokens(
                sampler, history.expand(DRAWS, -1).contiguous(), logits, generators=generators
            )
            _require_follows(drawn, said[0])

    def test_needs_no_history(self) -> None:
        shape = tuple(_tokens(self.make(), _history()[:, :0], _logits()).shape)
        assert shape == (ROWS,), f"with an empty history tokens have shape {shape}, not {(ROWS,)}"

    def test_extreme_logits_do_not_break_it(self) -> None:
        logits = _logits() * 1e4
        drawn = _tokens(self.make(), _history(), logits)
        assert self.reorders or torch.equal(drawn, logits.argmax(-1)), (
            "with logits of +-10,000 another token than the likeliest was drawn: "
            "an overflow, or set reorders = True"
        )

    def test_a_history_of_all_tokens_leaves_one_to_draw(self) -> None:
        everything = torch.arange(SIZE).repeat(3).expand(ROWS, -1).contiguous()
        drawn = _tokens(self.make(), everything, _logits())
        assert ((drawn >= 0) & (drawn < SIZE)).all(), f"invalid tokens {drawn.tolist()}"

    def test_works_when_history_grows_and_rows_leave(self) -> None:
        sampler, history, generators = self.make(), _history()[:, :0], _generators()
        for rows in (ROWS, ROWS, ROWS - 2, 1):
            if rows < len(history):
                history, generators = history[:rows], generators[:rows]
                if isinstance(sampler, Stateful):
                    sampler.select(torch.arange(rows))
            drawn = _tokens(sampler, history, _logits()[:rows], generators=generators)
            history = torch.cat([history, drawn[:, None]], dim=1)
        assert history.shape == (1, 4)

    def test_state_follows_its_row(self) -> None:
        """Rows that are selected and reordered continue as they would have alone."""
        order = torch.tensor([4, 2, 5])
        apart = [self.make() for _ in range(ROWS)]
        sampler, history, generators = self.make(), _history()[:, :0], _generators()
        own = [_one(row) for row in range(ROWS)]
        rows = list(range(ROWS))
        for step in range(8):
            if step == 4:
                rows = order.tolist()
                history, generators = history[order], [generators[row] for row in rows]
                if isinstance(sampler, Stateful):
                    sampler.select(order)
            logits = _logits(step)[rows]
            drawn = _tokens(sampler, history, logits, generators=generators)
            for place, row in enumerate(rows):
                alone, its = history[place : place + 1], logits[place : place + 1]
                token = _tokens(apart[row], alone, its, generators=own[row])
                assert token.item() == drawn[place], (
                    f"row {row} draws {drawn[place]} in step {step}, but {token.item()} if alone: "
                    "its state must follow it in `select`"
                )
            history = torch.cat([history, drawn[:, None]], dim=1)

    def test_instances_share_no_state(self) -> None:
        """Each request has its own sampler: tokens of one must not affect the next."""
        first = _tokens(self.make(), _history(), _logits())
        busy = self.make()
        for step in range(4):
            _tokens(busy, _history(), _logits(step))
        drawn = _tokens(self.make(), _history(), _logits())
        require_equal(
            drawn, first, "use of one instance changes another: keep state in `self` only"
        )

    def test_all_randomness_comes_from_the_generators(self) -> None:
        before = torch.get_rng_state()
        _tokens(self.make(), _history(), _logits())
        after = torch.get_rng_state()
        require_equal(after, before, "torch's global generator was used: draw from `generators`")

    def test_does_not_synchronize_with_the_device(self) -> None:
        sampler = self.make()
        history, logits, generators = _history(), _logits(), _generators()
        with nullcontext() if self.looks else WaitsForNothing():
            for _ in range(2):
                if isinstance(sampler, Draw):
                    sampler.draw(history, logits, generators)
                else:
                    sampler(history, logits)

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_works_in_half_precision(self, dtype: torch.dtype) -> None:
        drawn = _tokens(self.make(), _history(), _logits().to(dtype))
        assert ((drawn >= 0) & (drawn < SIZE)).all(), f"invalid tokens {drawn.tolist()}"

    def _twice(self, logits: Tensor, seed: int) -> Tensor:
        """Tokens of two frames with the same history: (2, b)."""
        generators, nothing = _generators(seed), _history()[:, :0]
        first = _tokens(self.make(), nothing, logits, generators=generators)
        return torch.stack([first, _tokens(self.make(), nothing, logits, generators=generators)])


def _require_follows(drawn: Tensor, said: Tensor) -> None:
    """Raise `AssertionError` if token counts do not match these probabilities."""
    counts = torch.bincount(drawn, minlength=SIZE).double()
    expected = said.double() * len(drawn)
    assert not counts[said == 0].any(), "it draws a token whose stated probability is 0"
    rare = expected < 5  # too few for the statistic: counted together
    counts, expected = (torch.cat([x[~rare], x[rare].sum()[None]]) for x in (counts, expected))
    freedom = len(counts) - 1
    statistic = float(((counts - expected).square() / expected.clamp_min(1)).sum())
    assert statistic < freedom + 6 * math.sqrt(2 * freedom) + 6, (
        f"token counts do not match the stated probabilities (chi-square {statistic:.0f} "
        f"at {freedom} degrees of freedom)"
    )


def _tokens(
    sampler: Sampler,
    history: Tensor,
    logits: Tensor,
    *,
    seed: int = 0,
    generators: list[torch.Generator] | None = None,
) -> Tensor:
    generators = generators or _generators(seed)
    if isinstance(sampler, Draw):
        return sampler.draw(history, logits, generators)
    changed = sampler(history, logits)
    assert changed.shape == logits.shape, (
        f"logits have shape {tuple(changed.shape)}, not {tuple(logits.shape)}"
    )
    assert not (changed.isnan() | changed.isposinf()).any(), "a logit is NaN or +inf"
    assert changed.isfinite().any(-1).all(), "all tokens of a row are excluded: keep at least one"
    return draw_categorical(changed, generators)


def _logits(seed: int = 1) -> Tensor:
    return torch.randn(ROWS, SIZE, generator=torch.Generator().manual_seed(seed)) * 2


def _history() -> Tensor:
    return torch.randint(SIZE, (ROWS, LENGTH), generator=torch.Generator().manual_seed(2))


def _generators(seed: int = 0) -> list[torch.Generator]:
    return [generator for row in range(ROWS) for generator in _one(row, seed)]


def _one(row: int, seed: int = 0) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(1000 * seed + row)]
