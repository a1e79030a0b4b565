"""Utterances whose codes are not what they should be."""

from itertools import islice

import numpy as np
import pytest

from vall_e.config.data import DataConfig
from vall_e.data.batching.corpus import make_corpus, texts_of
from vall_e.data.batching.loader import Loader, Maker, make_order
from vall_e.data.dataset.folder import Dataset
from vall_e.errors import DataError
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.text.vocabulary import Vocabulary

CONFIG = DataConfig(batch_seconds=5, without_prompt=1.0)


@pytest.fixture
def corpus(tmp_path):
    """The codes of one utterance are none of the codec."""
    folder = write_dataset(tmp_path / "data", StaircaseCodec(levels=3))
    entry = Dataset(folder).entries[4]
    codes = np.memmap(folder / "codes.i16", dtype="<i2", mode="r+").reshape(-1, 3)
    codes[entry.offset + 1] = 9999
    codes.flush()
    dataset = Dataset(folder)
    vocabulary = Vocabulary.of("".join(texts_of([dataset])))
    return make_corpus([dataset], vocabulary, ("en-us",), seconds=(0.0, 60.0))


def loader(corpus, **options):
    maker = Maker(corpus, [Tts(TtsConfig())], lambda rng: 0, 0)
    return Loader(make_order(corpus, CONFIG, seed=0), maker, **options)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_item_is_named_wherever_it_is_read(corpus, workers):
    with pytest.raises(DataError, match=r"'ann-4' of .*data has codes from \d+ to 9999") as caught:
        list(islice(loader(corpus, workers=workers), 40))
    assert "data.bad_items" in caught.value.hint


def test_a_bad_item_is_left_out_of_its_batch_and_counted(corpus, caplog):
    skipping = loader(corpus, bad_items="skip")
    batches = len(skipping.order.epoch(0))
    ids = [i for batch in islice(skipping, batches) for i in batch.ids]
    assert sorted(ids) == sorted(u.entry.id for u in corpus.utterances if u.entry.id != "ann-4")
    assert sum(skipping.left_out.values()) == 1
    assert caplog.text.count("ann-4") == 1


def test_a_batch_has_no_more_samples_than_it_may(corpus):
    sizes = [
        len(batch)
        for batch in make_order(corpus, DataConfig(batch_seconds=1000, batch_size=3), seed=0).epoch(
            0
        )
    ]
    assert sum(sizes) == 20
    assert max(sizes) == 3
