"""What a sample hears before it speaks."""

import random

import pytest
import torch

from vall_e.data.batching.corpus import make_corpus, texts_of
from vall_e.data.batching.mixing import CodeMixer, Materials
from vall_e.data.batching.prompts import AnyOther, PromptNoise, Similar, similar_in
from vall_e.data.dataset.folder import Dataset
from vall_e.data.dataset.similar_file import write_similar
from vall_e.errors import DataError
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.text.vocabulary import Vocabulary

CODEC = StaircaseCodec(levels=3)


@pytest.fixture
def corpus(tmp_path):
    dataset = Dataset(write_dataset(tmp_path / "data", CODEC))
    vocabulary = Vocabulary.of("".join(texts_of([dataset])))
    return make_corpus([dataset], vocabulary, ("en-us",), seconds=(0.0, 60.0))


def whose(corpus, part):
    """The utterances that hold the part."""
    return {
        place
        for place, utterance in enumerate(corpus.utterances)
        if part.tolist() in utterance.codes().unfold(1, part.shape[1], 1).movedim(1, 0).tolist()
    }


def test_a_share_of_the_prompts_comes_from_the_most_similar(corpus, tmp_path):
    """Of the same speaker only, and of the nearest; the others are what is left."""
    names = [utterance.entry.id for utterance in corpus.utterances]
    near = [(names[1], 0.95), (names[6], 0.9), (names[8], 0.8), (names[4], 0.7)]
    write_similar(tmp_path / "data", {names[0]: near})
    source = Similar(0.7, similar_in(corpus, nearest=2))
    assert source.table[0] == [6, 8]
    first = [source(corpus, 0, random.Random(seed))[0] for seed in range(200)]
    share = sum(place in (6, 8) for place in first) / 200
    assert 0.7 < share < 0.9, "some others are these by chance"
    assert set(first) == set(range(2, 20, 2))
    assert {len(set(source(corpus, 0, random.Random(s)))) for s in range(9)} <= {8, 9}
    assert source(corpus, 3, random.Random(0))[0] in corpus.speakers[1], "nothing is known of 3"


def test_a_dataset_whose_similar_utterances_are_not_listed_is_refused(corpus):
    with pytest.raises(DataError, match=r"similar: there is no .*data/similar\.jsonl") as told:
        similar_in(corpus, 1)
    assert "vall-e data similar" in told.value.hint


def test_a_prompt_is_joined_from_the_given_number_of_recordings(corpus):
    materials = Materials(corpus, prompt_parts=(3, 3))
    prompt = materials.of(0, 30).prompt(random.Random(1))
    assert prompt.shape == (3, 30)
    parts = [whose(corpus, part) for part in prompt.split(10, dim=1)]
    assert all(part & set(corpus.speakers[0]) for part in parts)
    assert not whose(corpus, prompt)
    drawn = [
        Materials(corpus, prompt_parts=(1, 4)).of(0, 12).prompt(random.Random(seed))
        for seed in range(20)
    ]
    assert all(prompt.shape == (3, 12) for prompt in drawn)
    assert 0 < sum(bool(whose(corpus, prompt)) for prompt in drawn) < 20


@pytest.mark.parametrize(("share", "mixed"), [(0.0, 0), (1.0, 20), (0.5, 10)])
def test_a_share_of_the_prompts_is_noisy(corpus, tmp_path, share, mixed):
    hiss = Dataset(write_dataset(tmp_path / "noise", CODEC, utterances=1, texts=("hiss",)))
    noisy = Materials(
        corpus, CodeMixer(lambda: CODEC), [hiss], prompt_noise=PromptNoise(share, (0.0, 3.0))
    )
    found = [
        [m.of(0, 12).prompt(random.Random(seed)) for m in (Materials(corpus), noisy)]
        for seed in range(20)
    ]
    different = sum(not torch.equal(clean, heard) for clean, heard in found)
    assert abs(different - mixed) <= (5 if 0 < share < 1 else 0)


def test_nothing_else_is_drawn_for_a_prompt_unless_asked_for(corpus):
    """So runs of before go on as they were."""
    one, other = random.Random(5), random.Random(5)
    Materials(corpus).of(0, 12).prompt(one)
    place = AnyOther()(corpus, 0, other)[0]
    other.randint(0, corpus.utterances[place].entry.frames - 12)
    assert one.random() == other.random()
