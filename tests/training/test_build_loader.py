"""A run's batches, from its config on."""

import hashlib
from itertools import islice

import pytest

from vall_e.config.data import DataConfig
from vall_e.data.batching.build_loader import NEWER, mark_of
from vall_e.data.dataset.folder import Dataset
from vall_e.data.dataset.similar_file import write_similar
from vall_e.errors import DataError
from vall_e.training.loop import update
from vall_e.training.objective import lengths_of

EVERYTHING = {
    "balance": ["speaker"],
    "order": "interleaved",
    "speakers": ["a*", "bob"],
    "min_utterances": 2,
    "max_utterances": 9,
    "prompt_similar": 0.5,
    "prompt_parts": [1, 2],
    "appended": 0.5,
    "silence": 0.5,
    "batch_seconds": 6,
}


@pytest.mark.parametrize("workers", [0, 1])
def test_a_run_continues_exactly_however_its_samples_are_chosen(bench, workers):
    ids = [entry.id for entry in Dataset(bench.folder / "data").entries]
    write_similar(bench.folder / "data", {i: [(ids[0], 0.9), (ids[1], 0.8)] for i in ids})
    data = EVERYTHING | {"train": [f"{bench.folder}/da*"], "workers": workers}
    loader = bench.open(data=data).loader
    assert len(loader.maker.corpus) == 18
    through = list(islice(loader, 5))
    assert any(draw.addition.more for batch in loader.order.epoch(0) for draw in batch)
    loader.position = through[2].after
    for batch, again in zip(through[3:], loader, strict=False):
        assert batch.ids == again.ids
        for one, other in zip(batch.examples, again.examples, strict=True):
            assert [(s.name, s.ids.tolist()) for s in one.segments] == [
                (s.name, s.ids.tolist()) for s in other.segments
            ]


def test_a_step_says_what_its_batches_waste(bench):
    run = bench.open(accumulation=2)
    taken = list(islice(run.loader, 2))
    lengths = [lengths_of(run.bundle.model, batch.examples) for batch in taken]
    held = sum(map(sum, lengths))
    computed = sum(max(batch) * len(batch) for batch in lengths)
    metrics = update(run, iter(taken))
    assert metrics["tokens"] == held
    assert metrics["padding"] == pytest.approx(1 - held / computed)
    assert 0 < metrics["padding"] < 0.3


def test_noise_in_prompts_asks_for_noise(bench):
    with pytest.raises(DataError, match=r"data\.noise lists no dataset"):
        bench.open(data={"prompt_noise": 0.1})


def test_a_position_holds_for_the_options_that_it_was_made_with(bench):
    """What changes batches changes the mark; what is as it always was leaves it."""
    corpus = bench.open().loader.maker.corpus
    early = DataConfig(order="duration")
    cut = (early.shares, early.prompt_seconds, early.without_prompt, early.batch_seconds)
    said = [f"{u.entry.id}\t{u.entry.frames}\n" for u in corpus.utterances]
    before = hashlib.sha256(("".join(said) + repr(cut)).encode()).hexdigest()[:16]
    assert mark_of(corpus, early) == before  # as it stands in checkpoints since the first version
    plain = mark_of(corpus, DataConfig())
    assert plain != before
    assert mark_of(corpus, DataConfig(workers=3, bad_items="skip")) == plain
    values = {"balance": ("speaker",), "order": "random", "prompt_parts": (1, 2)}
    marks = {mark_of(corpus, DataConfig(**{name: values.get(name, 1)})) for name in values}
    assert len({plain, *marks}) == 4
    assert set(NEWER) <= {option.name for option in DataConfig.__attrs_attrs__}
