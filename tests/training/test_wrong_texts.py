"""The losses that tell whether a model reads its text: of the same clips, with wrong texts."""

import attrs
import pytest
import torch

from vall_e.data.batching.corpus import make_corpus, texts_of
from vall_e.data.batching.mixing import Materials
from vall_e.data.dataset.folder import Dataset
from vall_e.interfaces.task import Sample
from vall_e.model.masking import Masking
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.text.vocabulary import Vocabulary
from vall_e.training.loop import validate
from vall_e.training.validation import make_trials
from vall_e.training.wrong_texts import with_wrong_texts


def _trials(bench, *, levels, masking=None, **data):
    run = bench.open(data=data)
    dataset = Dataset(bench.folder / "held-out")
    vocabulary = Vocabulary.of("".join(texts_of([dataset])))
    corpus = make_corpus([dataset], vocabulary, ("en-us",), seconds=(0, 60))
    config = attrs.evolve(run.bundle.config.data, **data)
    task = run.bundle.config.tasks[0].build()
    return make_trials(
        Materials(corpus), task, config, levels=levels, seconds=1000, masking=masking
    )


def _parts(examples, name):
    return [next(s.ids.tolist() for s in e.segments if s.name == name) for e in examples]


@pytest.mark.parametrize("batch_seconds", [0.1, 8, 1000])
def test_losses_of_right_and_wrong_texts_are_of_the_same_clips(bench, batch_seconds):
    """Whatever shares a batch: a clip that is alone in its batch has a wrong text too."""
    trials = _trials(bench, levels=[0], batch_seconds=batch_seconds)
    right, wrong = (
        [e for t in trials if t.name == name for e in t.examples]
        for name in ("ar", "ar_wrong_text")
    )
    assert len(right) == 8
    assert _parts(wrong, "response") == _parts(right, "response")
    texts = zip(_parts(wrong, "text"), _parts(right, "text"), strict=True)
    assert all(other != text for other, text in texts)
    again = _trials(bench, levels=[0], batch_seconds=batch_seconds)
    assert _parts(wrong, "text") == [
        text for t in again if t.name == "ar_wrong_text" for text in _parts(t.examples, "text")
    ]


def test_clips_that_all_say_the_same_have_no_wrong_text(bench):
    write_dataset(bench.folder / "held-out", StaircaseCodec(levels=3), texts=["one two"])
    assert {trial.name for trial in _trials(bench, levels=[0])} == {"ar"}


def test_a_set_without_wrong_texts_takes_them_from_the_mean_over_all_sets(bench):
    """Else it would be a mean over other clips than the loss beside it."""
    write_dataset(bench.folder / "same", StaircaseCodec(levels=3), texts=["one two"])
    folders = [str(bench.folder / name) for name in ("held-out", "same")]
    found = validate(bench.open(data={"validation": folders}))
    assert "validation.held-out.ar_wrong_text" in found
    assert "validation.ar_wrong_text" not in found


def test_a_wrong_text_is_of_the_same_language_and_about_as_long():
    def sample(text, language):
        return Sample(torch.tensor(text), language, None, torch.zeros(1, 1))

    samples = [sample([1] * 9, 0), sample([2] * 9, 1), sample([3] * 8, 0), sample([4] * 2, 0)]
    swapped = with_wrong_texts(samples, seed=0)
    assert [s.text.tolist() for s in swapped] == [[3] * 8, [1] * 9, [1] * 9, [3] * 8]


def test_the_same_frames_are_masked_for_right_and_wrong_texts(bench):
    trials = _trials(bench, levels=[0], masking=Masking(mask=16, share=1.0))
    right, wrong = (
        [ids for t in trials if t.name == name for ids in _parts(t.examples, "masked")]
        for name in ("masked", "masked_wrong_text")
    )
    assert right == wrong
