"""Utterances with others after them, and silence around them."""

import random

import numpy as np
import pytest
import torch

from vall_e.config.data import DataConfig
from vall_e.data.batching.concatenation import NOTHING, Addition, Lengthening
from vall_e.data.batching.corpus import make_corpus, texts_of
from vall_e.data.batching.loader import Maker, make_order
from vall_e.data.batching.mixing import CodeMixer, Materials
from vall_e.data.dataset.folder import Dataset
from vall_e.tasks.components import TASKS
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.text.vocabulary import Vocabulary

CODEC = StaircaseCodec(levels=3)
BY_NAME = {component.name: component.build(component.config()) for component in TASKS}


@pytest.fixture
def corpus(tmp_path):
    dataset = Dataset(write_dataset(tmp_path / "data", CODEC))
    vocabulary = Vocabulary.of("".join(texts_of([dataset])))
    return make_corpus([dataset], vocabulary, ("en-us",), seconds=(0.0, 60.0))


def test_additions_follow_the_utterance_with_silence_around(corpus):
    source = Materials(corpus, CodeMixer(lambda: CODEC)).of(0, 0, Addition((4, 2), 0.1, 0.06))
    spoken = source.spoken()
    own = [corpus.utterances[place] for place in (0, 4, 2)]
    speech = torch.cat([utterance.codes() for utterance in own], dim=1)
    assert spoken.codes[:, 5:-3].equal(speech)
    silence = CODEC.encode(torch.zeros(1, 1, CODEC.hop))[0]
    assert (spoken.codes[:, :5] == silence).all()
    assert (spoken.codes[:, -3:] == silence).all()
    texts = [torch.from_numpy(utterance.text) for utterance in own]
    assert spoken.text.equal(source.joined(texts))


def test_an_utterance_is_never_its_own_prompt(corpus):
    """Not even where the speaker has nothing else left."""
    ann = tuple(corpus.speakers[0])
    materials = Materials(corpus)
    for seed in range(5):
        source = materials.of(ann[0], 500, Addition(ann[1:-1]))
        last = corpus.utterances[ann[-1]].codes()
        prompt = source.prompt(random.Random(seed))
        assert prompt is None or prompt.equal(last)
        assert source.neighbour(random.Random(seed)).codes.equal(last)
        assert materials.of(ann[0], 9, Addition(ann[1:])).prompt(random.Random(seed)) is None


def test_additions_are_as_frequent_and_as_long_as_asked_for(corpus):
    lengthening = Lengthening(0.5, most=3, longest=6.0, silence=0.25, seconds=(0.1, 0.2))
    indices = np.tile(np.arange(len(corpus)), 30)
    found = lengthening.of(indices, np.random.default_rng(0), corpus=corpus)
    more = [addition.more for addition in found]
    assert np.mean([bool(others) for others in more]) == pytest.approx(0.4, abs=0.1)
    assert {len(others) for others in more} == {0, 1, 2, 3}
    for index, others in zip(indices.tolist(), more, strict=True):
        spoken = [corpus.utterances[place] for place in (index, *others)]
        assert len({index, *others}) == len(spoken)
        assert len({utterance.speaker for utterance in spoken}) == 1
        assert not others or sum(utterance.entry.seconds for utterance in spoken) < 6.001
    silent = [addition for addition in found if addition.before]
    assert len(silent) / len(found) == pytest.approx(0.25, abs=0.05)
    assert all(0.1 <= end <= 0.2 for one in silent for end in (one.before, one.after))


def test_batches_have_room_for_what_is_added(corpus):
    """The order plans with the very lengths that the samples have."""
    config = DataConfig(appended=0.6, silence=0.5, batch_seconds=12, without_prompt=1)
    order = make_order(corpus, config, seed=0)
    maker = Maker(corpus, [BY_NAME["tts"]], lambda rng: 0, 0, materials=_with_mixer(corpus))
    lengthened = 0
    for batch in order.epoch(0):
        lengths = []
        for draw in batch:
            lengthened += draw.addition != NOTHING
            [response] = [s.ids for s in maker(draw).segments if s.name == "response"]
            lengths.append(response.shape[1] / CODEC.frame_rate)
        assert len(batch) == 1 or max(lengths) * len(batch) <= 12 * 1.03
    assert lengthened > 5
    plain = make_order(corpus, DataConfig(batch_seconds=12, without_prompt=1), seed=0)
    drawn = [sorted(d.utterance for b in o.epoch(3) for d in b) for o in (order, plain)]
    assert drawn[0] == drawn[1]


def _with_mixer(corpus):
    return Materials(corpus, CodeMixer(lambda: CODEC))


@pytest.mark.parametrize(
    ("task", "more", "silent"),
    [("tts", True, True), ("stt", True, True), ("ns", True, True), ("len", True, False)]
    + [(name, False, True) for name in ("vc", "cse", "nse", "phn", "un-phn")],
)
def test_a_task_gets_only_what_it_can_learn_from(task, more, silent):
    fitting = Addition((1, 2), 0.2, 0.3).for_task(BY_NAME[task])
    assert fitting == Addition((1, 2) if more else (), *((0.2, 0.3) if silent else (0.0, 0.0)))
