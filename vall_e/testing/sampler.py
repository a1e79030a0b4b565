"""What every sampler must do, be it a logits processor or a draw."""

from contextlib import nullcontext

import torch
from torch import Tensor

from vall_e.drawing import draw_categorical
from vall_e.interfaces.sampling import Draw, LogitsProcessor, Sampler, Stateful
from vall_e.testing.marks import pytest
from vall_e.testing.waiting import WaitsForNothing

ROWS, SIZE, LENGTH = 6, 12, 20


class SamplerContract:
    """`make` returns a new sampler with ordinary options; `SIZE` tokens are drawn from."""

    reorders = False
    """The likeliest token may become another, however sure the model is (a penalty does that)."""
    looks = False
    """It cannot do without values on the host, for which a GPU is waited for at each frame."""

    def make(self) -> Sampler:
        raise NotImplementedError

    def test_is_a_processor_or_a_draw_and_not_both(self) -> None:
        sampler = self.make()
        assert isinstance(sampler, LogitsProcessor) != isinstance(sampler, Draw)

    def test_leaves_its_inputs_alone(self) -> None:
        history, logits = _history(), _logits()
        before = history.clone(), logits.clone()
        _tokens(self.make(), history, logits)
        assert torch.equal(history, before[0])
        assert torch.equal(logits, before[1])

    def test_keeps_the_shape(self) -> None:
        sampler = self.make()
        if isinstance(sampler, Draw):
            drawn = sampler.draw(_history(), _logits(), _generators())
            assert drawn.shape == (ROWS,)
            assert drawn.dtype == torch.long
        else:
            assert sampler(_history(), _logits()).shape == (ROWS, SIZE)

    def test_same_seeds_give_the_same_tokens(self) -> None:
        for seed in range(20):
            first, second = (
                _tokens(self.make(), _history(), _logits(), seed=seed) for _ in range(2)
            )
            assert torch.equal(first, second)

    def test_a_row_draws_the_same_alone_and_in_a_batch(self) -> None:
        history, logits = _history(), _logits()
        together = _tokens(self.make(), history, logits)
        for row in range(ROWS):
            alone = _tokens(
                self.make(), history[row : row + 1], logits[row : row + 1], generators=_one(row)
            )
            assert alone.item() == together[row]

    def test_never_draws_an_impossible_token(self) -> None:
        logits = _logits()
        logits[:, ::2] = float("-inf")
        for seed in range(100):
            assert (_tokens(self.make(), _history(), logits, seed=seed) % 2 == 1).all()

    def test_draws_the_only_possible_token(self) -> None:
        only = torch.arange(ROWS) % SIZE
        logits = torch.full((ROWS, SIZE), float("-inf"))
        logits[torch.arange(ROWS), only] = -3.0
        for seed in range(20):
            assert torch.equal(_tokens(self.make(), _history(), logits, seed=seed), only)

    def test_needs_no_history(self) -> None:
        assert _tokens(self.make(), _history()[:, :0], _logits()).shape == (ROWS,)

    def test_extreme_logits_do_not_break_it(self) -> None:
        logits = _logits() * 1e4
        drawn = _tokens(self.make(), _history(), logits)
        assert self.reorders or torch.equal(drawn, logits.argmax(-1))

    def test_a_history_of_all_tokens_leaves_one_to_draw(self) -> None:
        everything = torch.arange(SIZE).repeat(3).expand(ROWS, -1).contiguous()
        drawn = _tokens(self.make(), everything, _logits())
        assert ((drawn >= 0) & (drawn < SIZE)).all()

    def test_goes_on_when_history_grows_and_rows_leave(self) -> None:
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
        """Rows that are chosen and reordered go on as they would have without the others."""
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
                assert token.item() == drawn[place]
            history = torch.cat([history, drawn[:, None]], dim=1)

    def test_another_one_knows_nothing_of_it(self) -> None:
        """Each request has a sampler of its own: what one has drawn is nothing to the next."""
        first = _tokens(self.make(), _history(), _logits())
        busy = self.make()
        for step in range(4):
            _tokens(busy, _history(), _logits(step))
        assert torch.equal(_tokens(self.make(), _history(), _logits()), first)

    def test_takes_chance_from_the_generators_alone(self) -> None:
        before = torch.get_rng_state()
        _tokens(self.make(), _history(), _logits())
        assert torch.equal(torch.get_rng_state(), before)

    def test_waits_for_no_device(self) -> None:
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
        assert ((drawn >= 0) & (drawn < SIZE)).all()


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
    assert changed.shape == logits.shape
    assert not (changed.isnan() | changed.isposinf()).any()
    assert changed.isfinite().any(-1).all(), "a row has no token left"
    return draw_categorical(changed, generators)


def _logits(seed: int = 1) -> Tensor:
    return torch.randn(ROWS, SIZE, generator=torch.Generator().manual_seed(seed)) * 2


def _history() -> Tensor:
    return torch.randint(SIZE, (ROWS, LENGTH), generator=torch.Generator().manual_seed(2))


def _generators(seed: int = 0) -> list[torch.Generator]:
    return [generator for row in range(ROWS) for generator in _one(row, seed)]


def _one(row: int, seed: int = 0) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(1000 * seed + row)]
