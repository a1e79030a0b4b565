import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.cli.app import App, cli
from vall_e.data.dataset.folder import Dataset
from vall_e.data.dataset.manifest import Entry
from vall_e.data.dataset.similar_file import read_similar, write_similar
from vall_e.data.engines.local import LocalDataEngine
from vall_e.data.ingest.encode_recording import Preparer
from vall_e.data.ingest.process import process
from vall_e.data.ingest.recordings import find_recordings
from vall_e.data.inspect.similar import Nearest, neighbours_of, vectors_of
from vall_e.data.inspect.similarity_vectors import by_mfcc, by_text, by_voice, timbre
from vall_e.errors import DataError
from vall_e.testing import StaircaseCodec

TEXTS = ["the cat sat", "a big dog ran", "the cat sits", "two big dogs ran"]


def entry(number, speaker="ann", text=""):
    return Entry(str(number), speaker, "en", text, text, 1.0, 0, 10)


def fan(count):
    """Directions in a plane, the nearer in number the nearer."""
    angles = torch.linspace(0, 3, count)
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def ids(found):
    return {identity: [other for other, _ in near] for identity, near in found.items()}


def test_the_nearest_are_those_in_the_same_direction():
    entries = [entry(n) for n in range(4)]
    vectors = torch.tensor([[1.0, 0.1], [-1.0, 0.0], [1.0, -0.1], [-1.0, 0.2]])
    found = neighbours_of(entries, vectors, Nearest(k=1), across=False)
    assert ids(found) == {"0": ["2"], "2": ["0"], "1": ["3"], "3": ["1"]}


def test_nobody_is_similar_to_itself_and_the_order_falls():
    entries = [entry(n) for n in range(9)]
    for identity, near in neighbours_of(entries, fan(9), Nearest(k=8), across=False).items():
        assert identity not in [other for other, _ in near]
        scores = [score for _, score in near]
        assert scores == sorted(scores, reverse=True)


def test_an_offset_leaves_out_the_nearest():
    entries = [entry(n) for n in range(9)]
    all_of_them = ids(neighbours_of(entries, fan(9), Nearest(k=5), across=False))
    rest = ids(neighbours_of(entries, fan(9), Nearest(k=3, offset=2), across=False))
    assert rest == {identity: near[2:5] for identity, near in all_of_them.items()}


def test_top_p_keeps_the_fewest_that_hold_the_share():
    scores = torch.tensor([0.5, 0.3, 0.2, -0.5])
    order = torch.arange(4)

    def kept(p):
        return [other for other, _ in Nearest(k=4, top_p=p).of(scores, order)]

    assert (kept(0.4), kept(0.6), kept(0.9), kept(1.0)) == ([0], [0, 1], [0, 1, 2], [0, 1, 2, 3])


def test_speakers_are_kept_apart_unless_asked():
    entries = [entry(n, speaker="ab"[n % 2]) for n in range(6)]
    apart = ids(neighbours_of(entries, fan(6), Nearest(), across=False))
    assert all(int(other) % 2 == int(own) % 2 for own, near in apart.items() for other in near)
    together = ids(neighbours_of(entries, fan(6), Nearest(), across=True))
    assert all(len(near) == 5 for near in together.values())


def test_who_is_not_recognized_is_similar_to_nobody():
    vectors = torch.cat([fan(4), torch.zeros(1, 2)])
    found = ids(neighbours_of([entry(n) for n in range(5)], vectors, Nearest(), across=False))
    assert found["4"] == []
    assert all("4" not in near for near in found.values())


def test_a_speaker_with_one_utterance_has_none():
    assert neighbours_of([entry(0)], fan(1), Nearest(), across=False) == {"0": []}


def test_texts_that_share_words_are_alike():
    entries = [entry(n, text=text) for n, text in enumerate(TEXTS)]
    found = neighbours_of(entries, vectors_of(entries, by_text), Nearest(k=1), across=False)
    assert ids(found) == {"0": ["2"], "2": ["0"], "1": ["3"], "3": ["1"]}


class Letters:
    def phonemes(self, text, language):
        return text


@pytest.fixture
def dataset(tmp_path):
    """Two low and two high tones, of one speaker."""
    folder = tmp_path / "in"
    folder.mkdir()
    time = np.arange(8_000) / 16_000
    for number, pitch in enumerate((150, 3000, 160, 3100)):
        tone = 0.5 * np.sin(2 * np.pi * pitch * time)
        Clip(tone.astype(np.float32), 16_000).write(folder / f"{number}.wav")
        (folder / f"{number}.txt").write_text(TEXTS[number])
    codec = StaircaseCodec(levels=3)
    process(
        find_recordings(folder),
        tmp_path / "set",
        lambda: Preparer(codec, Letters(), "x", ("en",)),
        engine=LocalDataEngine(),
    )
    return Dataset(tmp_path / "set"), codec


def test_sounds_of_one_timbre_are_alike():
    time = torch.arange(8_000) / 16_000
    pitches = (150, 3000, 160, 3100)
    sounds = [0.5 * torch.sin(2 * torch.pi * pitch * time) for pitch in pitches]
    vectors = torch.stack([timbre(sound) for sound in sounds])
    entries = [entry(n) for n in range(4)]
    found = neighbours_of(entries, vectors, Nearest(k=1), across=False)
    assert ids(found) == {"0": ["2"], "2": ["0"], "1": ["3"], "3": ["1"]}
    assert torch.allclose(timbre(sounds[0]), timbre(0.1 * sounds[0]), atol=0.01)


def test_cepstra_are_made_of_the_decoded_codes(dataset):
    data, codec = dataset
    vectors = vectors_of(data.entries, by_mfcc(data, codec))
    assert vectors.shape == (4, 39)
    assert torch.isfinite(vectors).all()


def test_an_embedder_that_finds_no_speech_is_not_counted(dataset):
    data, codec = dataset
    heard = []

    def embedder(clip):
        heard.append(clip.seconds)
        return None if len(heard) == 1 else np.eye(3, dtype=np.float32)[len(heard) % 3]

    vectors = vectors_of(data.entries, by_voice(data, codec, embedder))
    assert vectors.shape == (4, 3)
    assert not vectors[0].any()
    assert heard == pytest.approx([0.5] * 4, abs=0.05)


def test_the_command_writes_a_line_for_each(dataset, registry):
    data, _ = dataset
    args = ["data", "similar", str(data.folder), "--by", "text", "-k", "1"]
    result = CliRunner().invoke(cli, args, obj=App(registry=registry))
    assert result.exit_code == 0, result.output
    lines = (data.folder / "similar.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    assert first["id"] == "0"
    assert first["similar"][0][0] == "2"
    assert ids(read_similar(data.folder))["3"] == ["1"]
    result = CliRunner().invoke(cli, args[:3], obj=App(registry=registry))
    assert result.exit_code == 8
    assert "the codec is embedded-16k" in result.stderr
    for option, by in (("--model", "model"), ("--embedder", "voice")):
        result = CliRunner().invoke(cli, [*args, option, str(data.folder)], obj=App(registry))
        assert result.exit_code == 2
        assert f"needs --by {by}, not --by text" in result.stderr


def test_a_damaged_file_is_named(tmp_path):
    write_similar(tmp_path, {"a": [("b", 0.51239)]})
    assert read_similar(tmp_path) == {"a": [("b", 0.5124)]}
    (tmp_path / "similar.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(DataError, match=r"similar.jsonl is damaged"):
        read_similar(tmp_path)


def test_the_similar_ones_of_a_file_are_beside_it(tmp_path):
    (tmp_path / "mine.hdf5").write_text("no folder")
    write_similar(tmp_path / "mine.hdf5", {"a": [("b", 0.5)]})
    assert read_similar(tmp_path / "mine.hdf5") == {"a": [("b", 0.5)]}
    assert (tmp_path / "mine.hdf5.similar.jsonl").exists()
