from collections import Counter
from itertools import islice, pairwise
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vall_e.config.data import DataConfig
from vall_e.data.batching.batch_orders import ARRANGEMENTS, EpochSamples
from vall_e.data.batching.batch_sampler import BatchSampler, Position, Room
from vall_e.data.batching.loader import _Plan
from vall_e.data.batching.sampling_pools import Pool

START = Position()
LENGTHS = np.loadtxt(Path(__file__).with_name("lengths.csv"), delimiter=",", skiprows=1)
"""Seconds and characters of 300 read sentences: LibriSpeech, LJ Speech, CMU Arctic and others."""
SECONDS = 1 / 75
"""Of a frame, and so of a symbol of text."""


def order(
    sizes=(40,),
    *,
    shares=None,
    seed=0,
    batch_seconds=30.0,
    prompts=(1.0, 3.0),
    without=0.1,
    name="duration",
    lengths=None,
):
    stops = np.cumsum([0, *sizes])
    total = sum(share for share, size in zip(shares or sizes, sizes, strict=True) if size)
    uniform = np.random.default_rng(7).uniform(0.5, 10, sum(sizes))
    seconds, symbols = (uniform, uniform * 15) if lengths is None else lengths.T
    return BatchSampler(
        utterances=EpochSamples(seconds, symbols * SECONDS, np.arange(len(seconds)) % 5),
        pools=[
            Pool(np.arange(a, b), share / total, number)
            for number, ((a, b), share) in enumerate(
                zip(pairwise(stops), shares or sizes, strict=True)
            )
        ],
        prompt_seconds=prompts,
        without_prompt=without,
        room=Room(batch_seconds),
        seed=seed,
        arrangement=ARRANGEMENTS[name],
    )


def seconds_of(sequence, batch):
    return [sequence.utterances.seconds[d.utterance] + d.prompt_seconds for d in batch]


def drawn(batches):
    return Counter(draw.utterance for batch in batches for draw in batch)


sizes = st.lists(st.integers(1, 60), min_size=1, max_size=4).map(tuple)
names = st.sampled_from(sorted(ARRANGEMENTS))


@settings(deadline=None, max_examples=40)
@given(sizes=sizes, seed=st.integers(0, 2**32), epoch=st.integers(0, 5), name=names)
def test_an_epoch_draws_each_utterance_once(sizes, seed, epoch, name):
    assert drawn(order(sizes, seed=seed, name=name).epoch(epoch)) == Counter(range(sum(sizes)))


@settings(deadline=None, max_examples=40)
@given(sizes=sizes, world_size=st.integers(1, 5), start=st.integers(0, 3), name=names)
def test_ranks_share_out_the_sequence(sizes, world_size, start, name):
    """Each its own part, whatever the number of ranks; together all; and they go on as one."""
    sequence = order(sizes, name=name)
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


@settings(deadline=None, max_examples=40)
@given(sizes=sizes, seed=st.integers(0, 99), seconds=st.floats(5, 200))
def test_batches_are_full_but_not_fuller(sizes, seed, seconds):
    sequence = order(sizes, seed=seed, batch_seconds=seconds)
    for batch in sequence.epoch(0):
        lengths = seconds_of(sequence, batch)
        assert len(batch) == 1 or max(lengths) * len(batch) <= seconds


@pytest.mark.parametrize(
    ("name", "of_audio", "of_all"),
    [("duration", 0.05, 0.08), (DataConfig().order, 0.08, 0.05), ("random", 0.4, 0.4)],
)
def test_padding_stays_low_on_the_lengths_of_real_speech(name, of_audio, of_all):
    """Below what is given, and near it: the figures in the documentation hold."""
    many = LENGTHS[np.random.default_rng(0).integers(len(LENGTHS), size=3000)]
    sequence = order((3000,), batch_seconds=60, without=0.05, name=name, lengths=many)
    epoch = sequence.epoch(0)
    audio = [np.array(seconds_of(sequence, batch)) for batch in epoch]
    whole = [
        seconds + sequence.utterances.text[[draw.utterance for draw in batch]]
        for seconds, batch in zip(audio, epoch, strict=True)
    ]
    for lengths, most in ((audio, of_audio), (whole, of_all)):
        padding = 1 - sum(map(sum, lengths)) / sum(max(batch) * len(batch) for batch in lengths)
        assert most / 2 < padding < most


def test_speakers_are_interleaved_in_proportion():
    sequence = order((1000,), name="interleaved", batch_seconds=200)
    for batch in sequence.epoch(0)[:-1]:
        speakers = Counter(draw.utterance % 5 for draw in batch)
        assert max(speakers.values()) - min(speakers.values(), default=0) <= 1
        assert len(speakers) == 5


def test_a_batch_can_be_limited_by_its_samples_alone():
    sequence = attrs.evolve(order((100,), name="random"), room=Room(0, 8))
    assert {len(batch) for batch in sequence.epoch(0)} == {8, 4}


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
