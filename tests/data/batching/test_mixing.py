import pickle
import random

import pytest
import torch

from vall_e.data.batching.corpus import make_corpus, texts_of
from vall_e.data.batching.mixing import CodeMixer, Materials, _other
from vall_e.data.dataset.folder import Dataset
from vall_e.errors import DataError
from vall_e.tasks.components import TASKS
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.text.vocabulary import Vocabulary

CODEC = StaircaseCodec(levels=4)
BY_NAME = {component.name: component.build(component.config()) for component in TASKS}


def _corpus(folder, **options):
    dataset = Dataset(write_dataset(folder, CODEC, **options))
    return make_corpus(
        [dataset], Vocabulary.of("".join(texts_of([dataset]))), ("en-us",), seconds=(0.0, 60.0)
    )


@pytest.fixture
def materials(tmp_path):
    """Ann and Bob both say one; only Ann says two."""
    corpus = _corpus(tmp_path / "speech", utterances=3, texts=("one", "one", "two"))
    noise = Dataset(write_dataset(tmp_path / "noise", CODEC, utterances=1, texts=("hiss",)))
    return Materials(corpus, CodeMixer(lambda: CODEC), [noise])


def _wave(*means):
    return CODEC.encode(torch.tensor(means).repeat_interleave(CODEC.hop)[None, None])[0]


def _heard(codes):
    return CODEC.decode(codes[None])[0, 0, :: CODEC.hop]


def test_a_mixture_is_the_sum_of_the_waveforms():
    mixture = CodeMixer(lambda: CODEC)(
        _wave(0.4, -0.4, 0.4, -0.4), _wave(0.2, 0.2, -0.2, -0.2), 20.0
    )
    expected = torch.tensor([0.44, -0.36, 0.36, -0.44])  # a tenth as loud
    assert torch.allclose(_heard(mixture), expected, atol=0.01)


def test_a_mixture_is_as_long_as_what_is_mixed_into():
    mix = CodeMixer(lambda: CODEC)
    assert mix(_wave(0.1, 0.2, 0.1), _wave(0.1), 0.0).shape == (4, 3)
    assert mix(_wave(0.1), _wave(0.1, 0.2, 0.1), 0.0).shape == (4, 1)


def test_a_mixture_that_is_too_loud_is_made_softer_as_a_whole():
    mixture = CodeMixer(lambda: CODEC)(_wave(0.9, -0.45), _wave(0.9, -0.45), 0.0)
    assert torch.allclose(_heard(mixture), torch.tensor([1.0, -0.5]), atol=0.01)


def test_silence_can_be_mixed():
    heard = _heard(CodeMixer(lambda: CODEC)(_wave(0.4, 0.4), _wave(0.0, 0.0), 10.0))
    assert torch.allclose(heard, torch.tensor([0.4, 0.4]), atol=0.01)


def test_a_mixer_goes_to_other_processes_without_its_codec(monkeypatch):
    mixer = CodeMixer(StaircaseCodec)
    mixer(_wave(0.1), _wave(0.1), 0.0)
    copy = pickle.loads(pickle.dumps(mixer))  # noqa: S301
    assert copy.__dict__["_codec"] is None
    assert copy(_wave(0.1), _wave(0.1), 0.0).shape == (4, 1)


def test_noise_is_as_long_as_asked_for_and_begins_again(materials):
    [dataset] = materials.noises
    whole = torch.from_numpy(dataset.codes(dataset.entries[0]))
    noise = materials.of(0, 0).noise(40, random.Random(0))
    assert noise.shape == (4, 40)
    assert noise[:, whole.shape[1] :].equal(noise[:, : 40 - whole.shape[1]])
    others = [materials.of(0, 0).noise(40, random.Random(seed)) for seed in range(9)]
    assert not all(other.equal(noise) for other in others)  # it begins anywhere


def test_a_stranger_is_another_speaker_and_no_longer_than_asked_for(materials):
    others = [materials.of(1, 0).stranger(6, random.Random(seed)) for seed in range(9)]
    ann = [materials.corpus.utterances[i].codes() for i in (0, 2)]
    for codes in others:
        assert codes.shape[1] == 6
        assert any(codes.equal(whole[:, start : start + 6]) for whole in ann for start in range(9))
    assert len({str(codes.tolist()) for codes in others}) > len(ann)  # it begins anywhere


def test_all_others_are_drawn_and_nothing_else():
    for without in ({0}, {9}, {2, 3, 7}):
        drawn = {_other(range(10), without, random.Random(seed)) for seed in range(200)}
        assert drawn == set(range(10)) - without
    others = [i for i in range(10) if i != 4]
    assert [random.Random(s).choice(others) for s in range(50)] == [
        _other(range(10), {4}, random.Random(s)) for s in range(50)
    ], "as runs of before drew them"


def test_a_twin_says_the_same_in_another_voice(materials, tmp_path):
    bob = materials.corpus.utterances[1]
    assert materials.of(0, 0).twin(random.Random(0)).codes.equal(bob.codes())
    same = Materials(_corpus(tmp_path / "same", utterances=3, texts=("one",) * 3))
    assert [list(same.twins(place)) for place in range(3)] == [[1], [0, 2], [1]]


def test_a_neighbour_is_another_recording_of_the_speaker(materials):
    near = materials.of(0, 0).neighbour(random.Random(0))
    assert near.codes.equal(materials.corpus.utterances[2].codes())
    assert materials.of(1, 0).neighbour(random.Random(0)) is None


def test_what_nobody_else_says_serves_other_tasks_than_conversion(materials):
    assert [materials.serve(BY_NAME["vc"].wants, i) for i in range(3)] == [True, True, False]
    materials.require([BY_NAME["vc"], BY_NAME["tts"]])
    with pytest.raises(DataError, match="1 utterances cannot be used"):
        materials.require([BY_NAME["vc"]])


def test_tasks_that_learn_from_noise_ask_for_it(materials):
    with pytest.raises(DataError, match=r"ns needs noise") as told:
        Materials(materials.corpus).require([BY_NAME["ns"]])
    assert "--voices-only" in told.value.hint


@pytest.mark.parametrize("name", ["tse", "vc"])
def test_tasks_that_learn_from_several_speakers_ask_for_them(tmp_path, name):
    corpus = _corpus(tmp_path / "alone", utterances=2, speakers=("ann",))
    with pytest.raises(DataError, match=f"{name} needs several speakers"):
        Materials(corpus).require([BY_NAME[name]])


def test_texts_become_one_with_a_space_between(tmp_path):
    corpus = _corpus(tmp_path / "speech", utterances=2, texts=("one two", "six"), speakers=("ann",))
    source = Materials(corpus).of(0, 0)
    first, second = (torch.from_numpy(utterance.text) for utterance in corpus.utterances)
    [space] = corpus.space
    joined = source.joined([first, second]).tolist()
    assert joined == [1, *first[1:-1].tolist(), space, *second[1:-1].tolist(), 2]
    assert space in first.tolist()


def test_a_text_is_spelt_for_the_tasks_that_want_it(tmp_path):
    dataset = Dataset(write_dataset(tmp_path, CODEC, utterances=2, spelt=str.upper))
    vocabulary = Vocabulary.of("".join(texts_of([dataset], spelt=True)))
    options = {"languages": ("en-us",), "seconds": (0.0, 60.0)}
    corpus = make_corpus([dataset], vocabulary, spelt=True, **options)
    spelling = Materials(corpus).of(0, 0).spelling()
    assert vocabulary.decode(spelling.tolist()) == dataset.entries[0].text
    assert vocabulary.decode(corpus.utterances[0].text.tolist()) == dataset.entries[0].phonemes
    with pytest.raises(DataError, match="without written texts"):
        Materials(make_corpus([dataset], vocabulary, **options)).of(0, 0).spelling()


def test_edits_are_learnt_from_speakers_with_several_recordings(tmp_path):
    alone = Materials(_corpus(tmp_path, utterances=2))
    assert not alone.serve(BY_NAME["cse"].wants, 0)
    with pytest.raises(DataError, match="the task cse needs speakers with several"):
        alone.require([BY_NAME["cse"]])


def test_phonemes_are_learnt_from_texts_that_are_known(tmp_path):
    nameless = Materials(_corpus(tmp_path, utterances=2, spelt=lambda text: ""))
    with pytest.raises(DataError, match="no utterance has one"):
        nameless.require([BY_NAME["phn"]])
