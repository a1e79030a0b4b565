"""Which utterances are drawn, and how often."""

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vall_e.config.data import DataConfig
from vall_e.data.batching.batch_orders import ARRANGEMENTS
from vall_e.data.batching.batch_sampler import Position
from vall_e.data.batching.corpus import Corpus, Utterance
from vall_e.data.batching.loader import _Plan, make_order
from vall_e.data.batching.sampling_pools import KEYS, pools_of, shares_of
from vall_e.interfaces.store import Entry, Info
from vall_e.text.vocabulary import Vocabulary

INFO = Info("staircase", 50.0, 16_000, 3, 16, "none")
TEXT = Vocabulary.of("a").look_up("a").ids


def corpus(*folders):
    """Of folders of `{speaker: how many utterances}`; who is called `de/...` speaks German."""
    utterances, groups, speakers = [], [], []
    for folder in folders:
        start = len(utterances)
        for name, count in folder.items():
            speakers.append(range(len(utterances), len(utterances) + count))
            for number in range(count):
                entry = Entry(f"{name}-{number}", name, "", "", "", 1.0 + number % 3, 0, 50)
                german = int(name.startswith("de/"))
                utterances.append(Utterance(entry, None, len(speakers) - 1, german, TEXT))
        groups.append(range(start, len(utterances)))
    return Corpus(utterances, groups, speakers, INFO, Counter())


FOLDERS = ({"en/ann": 40, "en/bob": 8, "de/eva": 4}, {"de/ida": 12}, {})


def frequencies(found, key):
    """Share of the draws by what `key` makes of the utterance."""
    counts = Counter(key(utterance) for utterance in found)
    return {name: pytest.approx(count / len(found), abs=0.01) for name, count in counts.items()}


def drawn(found, config, epochs=40):
    order = make_order(found, config, seed=0)
    return [
        found.utterances[draw.utterance]
        for epoch in range(epochs)
        for batch in order.epoch(epoch)
        for draw in batch
    ]


def speaker(utterance):
    return utterance.entry.speaker


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"en/ann": 40 / 64, "en/bob": 8 / 64, "de/eva": 4 / 64, "de/ida": 12 / 64}),
        ({"balance": ("speaker",)}, dict.fromkeys(("en/ann", "en/bob", "de/eva", "de/ida"), 1 / 4)),
        (
            {"balance": ("group", "speaker")},
            {"en/ann": 1 / 6, "en/bob": 1 / 6, "de/eva": 1 / 3, "de/ida": 1 / 3},
        ),
        (
            {"balance": ("language",)},
            {"en/ann": 40 / 96, "en/bob": 8 / 96, "de/eva": 4 / 32, "de/ida": 12 / 32},
        ),
        (
            {"balance": ("folder", "speaker")},
            {"en/ann": 1 / 6, "en/bob": 1 / 6, "de/eva": 1 / 6, "de/ida": 1 / 2},
        ),
        (
            {"shares": (3.0, 1.0, 0.0), "balance": ("speaker",)},
            {"en/ann": 1 / 4, "en/bob": 1 / 4, "de/eva": 1 / 4, "de/ida": 1 / 4},
        ),
    ],
    ids=str,
)
def test_what_is_balanced_is_drawn_equally_often(options, expected):
    config = DataConfig(train=("a", "b", "c"), **options)
    assert frequencies(drawn(corpus(*FOLDERS), config), speaker) == expected


@pytest.mark.parametrize("balance", [(), ("speaker",), ("group", "speaker"), ("language",)])
def test_a_pool_is_emptied_before_anything_in_it_comes_again(balance):
    found = corpus(*FOLDERS)
    counts = Counter(u.entry.id for u in drawn(found, DataConfig(balance=balance), epochs=9))
    for pool in pools_of(found, (), balance):
        own = [counts[found.utterances[i].entry.id] for i in pool.members]
        assert not own or max(own) - min(own) <= 1


@settings(deadline=None, max_examples=12)
@given(
    balance=st.lists(st.sampled_from(sorted(KEYS)), unique=True, max_size=2).map(tuple),
    order=st.sampled_from(sorted(ARRANGEMENTS)),
    world_size=st.integers(1, 6),
    cut=st.integers(0, 5),
)
def test_however_it_is_drawn_the_ranks_see_all_and_continue_exactly(
    balance, order, world_size, cut
):
    found = corpus({"a/x": 7, "a/y": 2, "b/z": 5}, {"x": 3})
    config = DataConfig(train=("a", "b"), balance=balance, order=order, batch_seconds=15)
    sequence = make_order(found, config, seed=0)
    ranks = [_Plan(sequence, Position(), rank, world_size) for rank in range(world_size)]
    taken = [list(islice(rank, 60 // world_size + 20)) for rank in ranks]
    seen = {draw.utterance for rank in taken for planned in rank for draw in planned.draws}
    assert seen == set(range(len(found)))
    numbers = [
        (draw.epoch, draw.number) for rank in taken for planned in rank for draw in planned.draws
    ]
    assert len(set(numbers)) == len(numbers), "no sample goes to two ranks"
    again = [_Plan(sequence, rank[cut].after, i, world_size) for i, rank in enumerate(taken)]
    for rank, going_on in zip(taken, again, strict=True):
        expected = [planned.draws for planned in rank[cut + 1 : cut + 6]]
        assert [planned.draws for planned in islice(going_on, 5)] == expected


def test_the_share_of_a_path_goes_to_its_folders_by_their_size():
    assert shares_of([1.0, 0.5], [2, 1], [30, 10, 7]) == [0.75, 0.25, 0.5]
    assert shares_of([1.0], [2], [0, 10]) == [0.0, 1.0]
    assert shares_of([], [1, 1], [3, 4]) == []
