from collections import Counter
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vall_e.data.loader import _Plan
from vall_e.data.order import Order, Position

START = Position()


def order(sizes=(40,), *, shares=None, seed=0, batch_seconds=30.0, prompts=(1.0, 3.0), without=0.1):
    stops = np.cumsum([0, *sizes])
    groups = [range(a, b) for a, b in pairwise(stops)]
    return Order(
        seconds=np.random.default_rng(7).uniform(0.5, 10, sum(sizes)),
        groups=groups,
        shares=shares or sizes,
        prompt_seconds=prompts,
        without_prompt=without,
        batch_seconds=batch_seconds,
        seed=seed,
    )


def drawn(batches):
    return Counter(draw.utterance for batch in batches for draw in batch)


sizes = st.lists(st.integers(1, 60), min_size=1, max_size=4).map(tuple)


@settings(deadline=None)
@given(sizes=sizes, seed=st.integers(0, 2**32), epoch=st.integers(0, 5))
def test_an_epoch_draws_each_utterance_once(sizes, seed, epoch):
    assert drawn(order(sizes, seed=seed).epoch(epoch)) == Counter(range(sum(sizes)))


@settings(deadline=None)
@given(sizes=sizes, world_size=st.integers(1, 5), start=st.integers(0, 3))
def test_ranks_share_out_the_sequence(sizes, world_size, start):
    sequence = order(sizes)
    position = Position(0, start)
    plans = [_Plan(sequence, position, rank, world_size) for rank in range(world_size)]
    taken = [list(islice(plan, 6)) for plan in plans]
    joined = [planned.draws for window in zip(*taken, strict=True) for planned in window]
    expected = [batch for _, batch in islice(sequence.batches(position), 6 * world_size)]
    assert joined == expected
    after = {planned.after for planned in (rank[-1] for rank in taken)}
    assert len(after) == 1
    going_on = next(sequence.batches(after.pop()))
    assert going_on == next(islice(sequence.batches(position), 6 * world_size, None))


@settings(deadline=None)
@given(sizes=sizes, seed=st.integers(0, 99), seconds=st.floats(5, 200))
def test_batches_are_full_but_not_fuller(sizes, seed, seconds):
    sequence = order(sizes, seed=seed, batch_seconds=seconds)
    for batch in sequence.epoch(0):
        lengths = [sequence.seconds[draw.utterance] + draw.prompt_seconds for draw in batch]
        assert len(batch) == 1 or max(lengths) * len(batch) <= seconds


def test_batches_hold_samples_of_similar_length():
    sequence = order((2000,), batch_seconds=60)
    batches = sequence.epoch(0)
    lengths = [[sequence.seconds[d.utterance] + d.prompt_seconds for d in b] for b in batches]
    padded = sum(max(batch) * len(batch) for batch in lengths)
    assert sum(map(sum, lengths)) > 0.9 * padded


def test_shares_are_kept_and_every_utterance_comes_in_turn():
    sequence = order((10, 90), shares=(3, 1))
    counts = sum((drawn(sequence.epoch(epoch)) for epoch in range(6)), Counter())
    assert sum(counts[i] for i in range(10)) == 450
    assert {counts[i] for i in range(10)} == {45}
    assert {counts[i] for i in range(10, 100)} <= {1, 2}


def test_an_empty_folder_takes_no_share():
    sequence = order((0, 10), shares=(1, 1))
    assert drawn(sequence.epoch(0)) == Counter(range(10))


def test_epochs_differ_and_seeds_differ_and_nothing_else():
    assert order().epoch(0) == order().epoch(0)
    assert order().epoch(0) != order().epoch(1)
    assert order().epoch(0) != order(seed=1).epoch(0)


def test_prompts_are_within_their_range_or_left_out():
    draws = [draw for batch in order((3000,), without=0.2).epoch(0) for draw in batch]
    lengths = [draw.prompt_seconds for draw in draws]
    assert lengths.count(0) / len(lengths) == pytest.approx(0.2, abs=0.03)
    assert all(1 <= length <= 3 for length in lengths if length)


def test_a_sample_is_random_in_its_own_way():
    first, second = (draw for batch in order((2,)).epoch(0) for draw in batch)
    assert first.rng(0).random() == first.rng(0).random()
    assert len({first.rng(0).random(), first.rng(1).random(), second.rng(0).random()}) == 3
