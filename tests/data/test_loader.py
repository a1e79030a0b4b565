from itertools import islice

import pytest

from vall_e.config.schema import DataConfig
from vall_e.data.corpus import make_corpus, symbols_of
from vall_e.data.dataset import Dataset
from vall_e.data.loader import Loader, Maker, make_order
from vall_e.tasks.components import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing import StaircaseCodec
from vall_e.testing.dataset import write_dataset
from vall_e.text.vocabulary import BOS, EOS, Vocabulary


@pytest.fixture
def corpus(tmp_path):
    dataset = Dataset(write_dataset(tmp_path / "data", StaircaseCodec(levels=3)))
    return make_corpus(
        [dataset], Vocabulary.of(symbols_of([dataset])), ("en-us",), seconds=(0.0, 60.0)
    )


def _texts(corpus, without_text: float, batches: int = 40) -> list[list[int]]:
    maker = Maker(corpus, [Tts(TtsConfig())], lambda rng: 0, 0, without_text=without_text)
    loader = Loader(make_order(corpus, DataConfig(batch_seconds=20), seed=0), maker)
    return [e.segments[0].ids.tolist() for b in islice(loader, batches) for e in b.examples]


def test_a_share_of_the_samples_goes_without_its_text(corpus):
    texts = _texts(corpus, 0.3)
    assert 0.2 < texts.count([BOS, EOS]) / len(texts) < 0.4


def test_every_sample_keeps_its_text_unless_asked_otherwise(corpus):
    assert [BOS, EOS] not in _texts(corpus, 0.0)
