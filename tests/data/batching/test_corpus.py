import random

import pytest
import torch
from attrs import evolve

from vall_e.config.data import DataConfig
from vall_e.data.batching.corpus import make_corpus, open_datasets, texts_of
from vall_e.data.batching.loader import make_order
from vall_e.data.batching.mixing import Materials
from vall_e.data.dataset.folder import Dataset
from vall_e.data.dataset.manifest import read_info, write_info
from vall_e.discovery import discover
from vall_e.errors import DataError, TextError
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.text.imported_vocabulary import adopt
from vall_e.text.vocabulary import Vocabulary

CODEC = StaircaseCodec(levels=3)
LONG = (0.0, 60.0)


@pytest.fixture
def dataset(tmp_path):
    return Dataset(write_dataset(tmp_path / "data", CODEC))


def corpus(*datasets, seconds=LONG, **options):
    options.setdefault("vocabulary", Vocabulary.of("".join(texts_of(datasets))))
    options.setdefault("languages", ("en-us",))
    vocabulary, languages = options.pop("vocabulary"), options.pop("languages")
    return make_corpus(datasets, vocabulary, languages, seconds=seconds, **options)


def holds(codes, part):
    width = part.shape[1]
    return any(
        torch.equal(codes[:, i : i + width], part) for i in range(codes.shape[1] - width + 1)
    )


def prompt_of(found, index, frames, rng):
    return Materials(found).of(index, frames).prompt(rng)


def test_utterances_have_ids_codes_and_speakers(dataset):
    found = corpus(dataset)
    assert len(found) == 20
    assert found.utterances[3].codes().shape == (3, dataset.entries[3].frames)
    assert [len(speaker) for speaker in found.speakers] == [10, 10]
    text = found.utterances[3].text.tolist()
    assert Vocabulary.of("".join(texts_of([dataset]))).decode(text) == dataset.entries[3].phonemes


def test_utterances_out_of_range_are_left_out_and_counted(dataset):
    lengths = sorted(entry.seconds for entry in dataset.entries)
    found = corpus(dataset, seconds=(lengths[2], lengths[-4]))
    assert len(found) + sum(found.left_out.values()) == 20
    assert set(found.left_out) == {f"under {lengths[2]:g} s", f"over {lengths[-4]:g} s"}


def test_utterances_of_other_languages_are_left_out(tmp_path, dataset):
    german = Dataset(write_dataset(tmp_path / "de", CODEC, utterances=3, language="de"))
    found = corpus(dataset, german)
    assert found.left_out == {"in de": 3}
    assert list(found.groups) == [range(20), range(20, 20)]


def test_nothing_left_is_an_error_that_counts(dataset):
    with pytest.raises(DataError, match=r"no utterances are left to train on: 20 over 0.1 s"):
        corpus(dataset, seconds=(0, 0.1))


def test_a_prompt_is_cut_from_another_recording_of_the_speaker(dataset):
    found = corpus(dataset)
    rng = random.Random(0)
    for index in range(20):
        prompt = prompt_of(found, index, 12, rng)
        assert prompt.shape == (3, 12)
        speaker = found.speakers[found.utterances[index].speaker]
        others = [found.utterances[i].codes() for i in speaker if i != index]
        assert any(holds(codes, prompt) for codes in others)


def test_a_long_prompt_is_glued(dataset):
    found = corpus(dataset)
    longest = max(entry.frames for entry in dataset.entries)
    assert prompt_of(found, 0, 2 * longest, random.Random(0)).shape == (3, 2 * longest)


def test_a_prompt_is_as_long_as_the_speaker_has(tmp_path):
    dataset = Dataset(write_dataset(tmp_path / "two", CODEC, utterances=2, speakers=("ann",)))
    prompt = prompt_of(corpus(dataset), 0, 10_000, random.Random(0))
    assert prompt.shape[1] == dataset.entries[1].frames


def test_a_speaker_with_one_recording_gets_no_prompt(tmp_path):
    dataset = Dataset(write_dataset(tmp_path / "two", CODEC, utterances=2))
    assert prompt_of(corpus(dataset), 0, 10, random.Random(0)) is None


def test_the_same_name_in_another_folder_is_another_speaker(tmp_path, dataset):
    other = Dataset(write_dataset(tmp_path / "other", CODEC, seed=5))
    assert len(corpus(dataset, other).speakers) == 4


def test_texts_become_ids_by_the_vocabulary_of_the_run(dataset):
    """So a dataset serves models of different vocabularies."""
    letters = sorted(set("".join(texts_of([dataset]))))
    ways = [Vocabulary.of(letters), Vocabulary.of([*letters, *"#%&"])]
    found = [corpus(dataset, vocabulary=way).utterances[3].text.tolist() for way in ways]
    assert found[0] != found[1]
    texts = [way.decode(ids) for way, ids in zip(ways, found, strict=True)]
    assert texts == [dataset.entries[3].phonemes] * 2


def test_symbols_that_the_vocabulary_lacks_are_reported_once(dataset, caplog):
    few = Vocabulary.of(set("".join(texts_of([dataset]))) - {"e", "x"})
    found = corpus(dataset, vocabulary=few)
    assert len(caplog.records) == 1
    assert "'e' " in caplog.text
    assert "'x' " in caplog.text
    assert "e" not in few.decode(found.utterances[0].text.tolist())


def test_symbols_that_the_vocabulary_lacks_can_be_refused(dataset):
    few = Vocabulary.of(set("".join(texts_of([dataset]))) - {"e"})
    with pytest.raises(TextError, match="the vocabulary lacks 'e'"):
        corpus(dataset, vocabulary=few, unknown="error")


def test_what_an_adopted_vocabulary_writes_in_its_own_way_is_not_lost(dataset, caplog):
    """`on` is one of its symbols, and `e` shares the id of another."""
    letters = sorted(set("".join(texts_of([dataset]))) - {"e"})
    ids = {symbol: number for number, symbol in enumerate(("<unk>", "<bos>", "</eos>", "<mask>"))}
    ids |= {symbol: number for number, symbol in enumerate((*letters, "on"), len(ids))}
    adopted = adopt({**ids, "e": ids[letters[-1]]}, len(ids), merges=[("o", "n")])
    found = corpus(dataset, vocabulary=adopted)
    assert not caplog.records
    phonemes = found.utterances[0].entry.phonemes
    expected = adopted.encode(phonemes, unknown="error").ids
    assert found.utterances[0].text.tolist() == expected


def test_datasets_of_two_codecs_are_refused(tmp_path, dataset):
    other = write_dataset(tmp_path / "other", StaircaseCodec(levels=2))
    with pytest.raises(DataError, match=r"data was made with codec staircase:3.*other with.*:2"):
        open_datasets([dataset.folder, other], discover())


class Renamed:
    """A codec of fewer levels that says it is another one."""

    def __init__(self, codec, identity):
        self.codec, self.identity = codec, identity

    def __getattr__(self, name):
        return getattr(self.codec, name)


def test_datasets_of_different_levels_of_one_codec_are_refused(tmp_path, dataset):
    """Their ids mean different things, though the codec is the same."""
    few = Renamed(StaircaseCodec(levels=2), dataset.info.codec)
    other = write_dataset(tmp_path / "other", few)
    with pytest.raises(DataError, match=r"data was made with levels 3, .*other with levels 2"):
        open_datasets([dataset.folder, other], discover())


def test_datasets_of_two_phonemizers_are_refused(tmp_path, dataset):
    other = write_dataset(tmp_path / "other", CODEC)
    write_info(other, evolve(read_info(other), phonemizer="espeak"))
    with pytest.raises(DataError, match=r"with phonemizer none, .*other with phonemizer espeak"):
        open_datasets([dataset.folder, other], discover())


@pytest.mark.parametrize(("shares", "fits"), [((1.0, 0.0), False), ((1.0, 0.1), True)])
def test_shares_of_folders_that_came_out_empty_are_refused(tmp_path, dataset, shares, fits):
    german = Dataset(write_dataset(tmp_path / "de", CODEC, utterances=3, language="de"))
    found = corpus(german, dataset)
    config = DataConfig(train=("de", "data"), shares=shares)
    if fits:
        assert make_order(found, config, seed=0).epoch(0)
        return
    with pytest.raises(DataError, match="only selects folders that have no utterance") as caught:
        make_order(found, config, seed=0)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("dataset.json", None, "data is not a dataset: it has no dataset.json"),
        ("dataset.json", "{", "dataset.json is damaged"),
        ("dataset.json", '{"format": 99}', "dataset.json is not of dataset format 1"),
        ("manifest.jsonl", "", "its files do not fit together"),
        ("manifest.jsonl", "{}\n", "manifest.jsonl is damaged: "),
        ("manifest.jsonl", "x\n", "manifest.jsonl is damaged"),
        ("codes.i16", "", "data is damaged"),
    ],
)
def test_a_damaged_folder_says_what_is_wrong(tmp_path, name, content, says):
    folder = write_dataset(tmp_path / "data", CODEC)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(DataError, match=says) as caught:
        Dataset(folder)
    assert caught.value.hint
