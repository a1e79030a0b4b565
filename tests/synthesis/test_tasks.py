"""Requests to tasks other than text to speech."""

import pytest
import torch

from vall_e.audio.clip import Clip
from vall_e.errors import AudioError, ConfigError
from vall_e.synthesis.parts import Parts
from vall_e.synthesis.plan import Request
from vall_e.synthesis.speak import Synthesizer
from vall_e.testing.tiny import tiny_bundle

TASKS = ["tts", "tts-c", "ns", "sr", "tse", "vc", "stt"]


@pytest.fixture(scope="module")
def doing(registry, codec):
    """A model that was not trained, doing a task."""
    bundle = tiny_bundle(registry, codec, tasks=TASKS, synthesis={"max_seconds": 3.0})

    def make(task):
        return Synthesizer(Parts.of(bundle, codec, task=task), device="cpu")

    return make


@pytest.fixture
def short(tone):
    return tone.cut(0.0, 0.6)


@pytest.mark.parametrize(
    ("task", "request_", "told"),
    [
        ("ns", {}, "needs a recording to work on"),
        ("tts", {"text": "hello", "input": True}, "makes no use of a recording"),
        ("ns", {"input": True, "voice": True}, "makes no use of a voice"),
        ("tse", {"input": True}, "needs a voice"),
        ("vc", {"input": True, "voice": True, "text": "hello"}, "makes no use of a text"),
        ("tts-c", {"text": "hello"}, "needs a voice"),
        ("tts-c", {"text": "hello", "voice": True}, "needs to know what the voice's recording"),
        ("stt", {"input": True}, "writes text, not speech"),
    ],
)
def test_what_does_not_go_together_is_refused(doing, short, task, request_, told):
    synthesizer = doing(task)
    brought = {"text": "", **request_}
    if "input" in brought:
        brought["input"] = short
    if "voice" in brought:
        brought["voice"] = synthesizer.voice(short)
    with pytest.raises(ConfigError, match=told) as error:
        synthesizer.synthesize(Request(brought.pop("text"), **brought))
    assert error.value.hint


def test_what_is_made_of_a_recording_is_about_as_long(doing, short):
    result = doing("ns").synthesize(Request("", input=short, seed=1))
    assert 0 < result.seconds <= 0.6 * 1.25 + 0.03
    assert "nobody" not in result.provenance["text"]


def test_a_text_that_helps_is_read(doing, short):
    [sentence] = doing("ns").synthesize(Request("hello", input=short, seed=1)).sentences
    assert sentence.phonemes == "hello"


def test_a_recording_that_is_too_long_is_refused(doing, tone):
    long = Clip(torch.from_numpy(tone.samples).repeat(2).numpy(), tone.sample_rate)
    with pytest.raises(AudioError, match=r"3 s"):
        doing("ns").synthesize(Request("", input=long))


def test_a_voice_whose_words_are_known_is_heard_as_a_whole(doing, tone):
    synthesizer = doing("tts-c")
    voice = synthesizer.voice(tone, transcript="ab")
    plan = synthesizer.stream(Request("hello", voice=voice))._take.plan
    sample = plan.line(0).job.sample
    assert sample.prompt.shape[1] == voice.codes.values.shape[1]
    assert len(sample.prompt_text) == 4


def test_a_task_that_writes_speech_cannot_transcribe(doing, short):
    with pytest.raises(ConfigError, match="writes speech, not text"):
        doing("tts").transcribe(short)


def test_a_transcript_that_was_cut_off_says_so(doing, short):
    found = doing("stt").transcribe(short)  # an untrained model hardly ever ends
    assert not found.ended
    assert found.language == "en-us"


def test_models_that_know_other_tasks_keep_their_tensors(registry, codec):
    plain = tiny_bundle(registry, codec).model.state_dict()
    more = tiny_bundle(registry, codec, tasks=["tts", "ns", "stt"]).model.state_dict()
    added = more.keys() - plain.keys()
    assert added == {
        "embedding.markers.ns.weight",
        "embedding.markers.stt.weight",
        "heads.text.weight",
        "heads.text.bias",
    }
    assert plain.keys() < more.keys()
