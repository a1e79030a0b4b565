from functools import cache
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.errors import UnavailableError
from vall_e.interfaces.transcriber import Passage, Transcript, Word
from vall_e.testing.contracts.any_component import contract_of
from vall_e.testing.contracts.run import laws_of, try_law
from vall_e_judges.components import build_sphinx
from vall_e_judges.options import SphinxConfig
from vall_e_judges.sphinx import _cuts, _passages
from vall_e_judges.whisper import (
    WhisperTranscriber,
    by_faster_whisper,
    by_pipeline,
    by_whisperx,
    inside,
)

RATE = 16_000
SECOND = Clip(np.zeros(RATE, np.float32), RATE)


def test_faster_whisper_gives_words_language_and_times():
    word = SimpleNamespace(start=0.1, end=0.4, word=" Hello")
    segment = SimpleNamespace(start=0.1, end=0.9, text=" Hello. ", words=[word])
    asked = {}

    class Model:
        def transcribe(self, samples, **options):
            asked.update(options, length=len(samples))
            return iter([segment]), SimpleNamespace(language="en")

    transcribe = WhisperTranscriber(by_faster_whisper(Model(), beams=3))
    found = transcribe(Clip(np.zeros((2, 24_000), np.float32), 24_000), language="en-us")
    assert (asked["language"], asked["beam_size"], asked["length"]) == ("en", 3, RATE)
    words = (Word(0.1, 0.4, "Hello"),)
    assert found == Transcript((Passage(0.1, 0.9, "Hello.", words=words),), "en")


def test_whisperx_aligns_and_labels_speakers():
    loaded = []

    def load_align_model(language_code, device):
        loaded.append(language_code)
        return "aligner", "facts"

    def align(segments, aligner, facts, samples, device):
        words = [{"word": "hi", "start": 0.2, "end": 0.5}, {"word": "7"}]
        return {"segments": [{**segments[0], "words": words}]}

    def assign(who, found):
        return {"segments": [{**found["segments"][0], "speaker": who}]}

    x = SimpleNamespace(load_align_model=load_align_model, align=align, assign_word_speakers=assign)
    segments = [{"start": 0.2, "end": 0.8, "text": " hi 7"}]
    model = SimpleNamespace(
        transcribe=lambda samples, language: {"language": "de", "segments": segments}
    )
    transcribe = WhisperTranscriber(by_whisperx(x, model, lambda samples: "SPEAKER_01", "cpu"))
    for _ in range(2):
        [passage] = transcribe(SECOND).passages
    assert (passage.speaker, passage.text) == ("SPEAKER_01", "hi 7")
    assert passage.words == (Word(0.2, 0.5, "hi"),)
    assert loaded == ["de"]


@pytest.mark.parametrize(
    ("kind", "said"), [("ctc", ["one two"]), ("seq2seq_whisper", ["one", "two"])]
)
def test_a_pipeline_gives_passages(kind, said):
    class Pipe:
        type = kind

        def __call__(self, audio, **options):
            assert options["return_timestamps"] == ("word" if kind == "ctc" else True)
            assert ("generate_kwargs" in options) == (kind != "ctc")
            chunks = [
                {"text": " one", "timestamp": (0.0, 0.4)},
                {"text": " two", "timestamp": (0.5, None)},
            ]
            return {"chunks": chunks}

    found = WhisperTranscriber(by_pipeline(Pipe(), chunk_seconds=30))(SECOND, language="en")
    assert [passage.text for passage in found.passages] == said
    assert found.passages[-1].end == 1.0


def test_what_lies_outside_or_is_empty_is_cut_off():
    found = Transcript(
        (Passage(-1, 2, "a"), Passage(1, 3, "b"), Passage(3, 9, ""), Passage(5, 9, "c"))
    )
    assert [(p.start, p.end) for p in inside(found, 4.0).passages] == [(0.0, 2), (2, 3)]


@pytest.mark.parametrize("name", ["faster-whisper", "whisperx"])
def test_an_engine_that_is_not_installed_says_how_to_get_it(registry, name):
    component = registry.get("transcriber", name)
    module = name.replace("-", "_")
    if find_spec(module):
        pytest.skip(f"{name} is installed")
    with pytest.raises(UnavailableError, match=f"the transcriber {name} needs") as caught:
        component.build(component.config(), device="cpu")
    assert "install" in caught.value.hint


@pytest.mark.slow
def test_weights_that_are_not_there_are_named(registry, tmp_path):
    pytest.importorskip("transformers")
    component = registry.get("transcriber", "transformers")
    with pytest.raises(UnavailableError, match="nowhere cannot be loaded"):
        component.build(component.config(model=str(tmp_path / "nowhere")), device="cpu")


def test_long_recordings_are_cut_where_it_is_quiet():
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 70 * RATE).astype(np.float32)
    samples[25 * RATE : 25 * RATE + RATE // 5] = 0
    starts, ends = _cuts(samples)
    assert starts[1:] == ends[:-1]
    assert ends[-1] == len(samples)
    assert 25 * RATE < starts[1] < 25 * RATE + RATE // 5
    assert max(np.subtract(ends, starts)) <= 30 * RATE


def test_a_pause_ends_a_passage():
    words = [Word(0, 0.5, "a"), Word(0.6, 1, "b"), Word(2, 2.5, "c")]
    assert [p.text for p in _passages(words, 0.4)] == ["a b", "c"]


def test_pocketsphinx_takes_no_gpu():
    with pytest.raises(UnavailableError, match="runs on the CPU only, not on 'cuda'"):
        build_sphinx(SphinxConfig(), device="cuda")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"), [("transcriber", "pocketsphinx"), ("embedder", "resemblyzer")]
)
def test_what_ships_keeps_its_contract(registry, kind, name):
    contract = contract_of(kind, registry.get(kind, name))
    made = cache(contract().make)  # it takes seconds to load
    contract = type("MadeOnce", (contract,), {"make": lambda self: made()})
    findings = [try_law(contract, law) for law in laws_of(contract)]
    assert [finding for finding in findings if finding.status == "fails"] == []
    assert any(finding.status == "holds" for finding in findings) or _absent(name)


def _absent(name):
    module = {"pocketsphinx": "pocketsphinx", "resemblyzer": "_webrtcvad"}[name]
    return find_spec(module) is None
