from itertools import islice

import pytest

from vall_e.config.data import DataConfig
from vall_e.data.batching.corpus import make_corpus, texts_of
from vall_e.data.batching.loader import Loader, Maker, make_order
from vall_e.data.dataset.folder import Dataset
from vall_e.model.sequence import Example
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.text.vocabulary import BOS, EOS, Vocabulary


@pytest.fixture
def corpus(tmp_path):
    dataset = Dataset(write_dataset(tmp_path / "data", StaircaseCodec(levels=3)))
    return make_corpus(
        [dataset], Vocabulary.of("".join(texts_of([dataset]))), ("en-us",), seconds=(0.0, 60.0)
    )


def _examples(corpus, batches: int = 40, **shares: float) -> list[Example]:
    maker = Maker(corpus, [Tts(TtsConfig())], lambda rng: 0, 0, **shares)
    config = DataConfig(batch_seconds=20, without_prompt=0)
    loader = Loader(make_order(corpus, config, seed=0), maker)
    return [e for b in islice(loader, batches) for e in b.examples]


def _texts(corpus, without_text: float) -> list[list[int]]:
    return [e.segments[0].ids.tolist() for e in _examples(corpus, without_text=without_text)]


def test_a_share_of_the_samples_goes_without_its_text(corpus):
    texts = _texts(corpus, 0.3)
    assert 0.2 < texts.count([BOS, EOS]) / len(texts) < 0.4


def test_every_sample_keeps_its_text_unless_asked_otherwise(corpus):
    assert [BOS, EOS] not in _texts(corpus, 0.0)


def test_another_share_loses_text_and_prompt_together(corpus):
    examples = _examples(corpus, without_text=0.2, without_both=0.3)
    lacking = [
        (
            e.segments[0].ids.tolist() == [BOS, EOS],
            "prompt" not in {segment.name for segment in e.segments},
        )
        for e in examples
    ]
    assert 0.2 < lacking.count((True, True)) / len(examples) < 0.4
    assert 0.1 < lacking.count((True, False)) / len(examples) < 0.3
    assert (False, True) not in lacking


def test_shares_over_everything_are_refused():
    with pytest.raises(ValueError, match="must be at most 1 with `without_text`"):
        DataConfig(without_text=0.7, without_both=0.4)
