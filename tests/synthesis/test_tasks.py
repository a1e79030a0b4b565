"""Requests to tasks other than text to speech."""

import pytest
import torch

from vall_e.audio.clip import Clip
from vall_e.codec.encode import to_codes
from vall_e.decoding.ar.stopping import Bounds
from vall_e.errors import AudioError, ConfigError, TextError
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.request import Request
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.synthesis.voice import Voice
from vall_e.synthesis.voice_library import LONGEST_SECONDS
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.text.vocabulary import EOS

TASKS = ["tts", "tts-c", "ns", "sr", "tse", "vc", "cse", "nse", "stt", "phn", "un-phn"]


@pytest.fixture(scope="module")
def doing(registry, codec):
    """A model that was not trained, doing a task."""
    bundle = tiny_bundle(registry, codec, tasks=TASKS, synthesis={"max_seconds": 3.0})
    bundle.model.heads.text.bias.data[EOS] = -1e9  # it never ends a text

    def make(task):
        return Synthesizer(Parts.of(bundle, codec, task=task), device="cpu")

    return make


@pytest.fixture
def short(tone):
    return tone.cut(0.0, 0.6)


@pytest.mark.parametrize(
    ("task", "request_", "told"),
    [
        ("ns", {}, "needs an input recording"),
        ("tts", {"text": "hello", "input": True}, "does not use an input recording"),
        ("ns", {"input": True, "voice": True}, "does not use a voice"),
        ("tse", {"input": True}, "needs a voice"),
        ("vc", {"input": True, "voice": True, "text": "hello"}, "does not use a text"),
        ("tts-c", {"text": "hello"}, "needs a voice"),
        (
            "tts-c",
            {"text": "hello", "voice": True},
            "needs the transcript of the voice's recording",
        ),
        ("cse", {"text": "hello", "input": True}, "needs the part of the recording"),
        ("cse", {"text": "hello", "edit": (0.1, 0.2)}, "needs an input recording"),
        ("ns", {"input": True, "edit": (0.1, 0.2)}, "does not use the part of the recording"),
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


def test_what_is_unknown_in_a_text_that_helps_is_reported(doing, short):
    result = doing("ns").synthesize(Request("hellö", input=short, seed=1))
    assert any("not spoken" in warning for warning in result.warnings)


@pytest.mark.parametrize(("task", "brought"), [("ns", {}), ("cse", {"edit": (0.1, 0.2)})])
def test_what_is_made_of_a_recording_is_no_longer_than_asked_for(doing, short, task, brought):
    request = Request("hello", input=short, seed=1, max_seconds=0.1, **brought)
    assert doing(task).synthesize(request).seconds <= 0.1


def test_an_edit_is_of_frames_of_the_recording(doing, short):
    synthesizer = doing("cse")
    request = Request("hello", input=short, edit=(0.2, 0.4))
    job = synthesizer.stream(request).plan.job(0)
    rate, frames = synthesizer.codec.frame_rate, job.sample.input.shape[1]
    assert job.sample.edit == (round(0.2 * rate), round(0.4 * rate))
    kept = frames - round(0.4 * rate) + round(0.2 * rate)
    assert kept < job.bounds.most


@pytest.mark.parametrize("edit", [(0.5, 0.7), (0.3, 0.2), (-0.1, 0.2)])
def test_an_edit_beyond_the_recording_is_refused(doing, short, edit):
    with pytest.raises(AudioError, match=r"the recording lasts 0\.6\d? s"):
        doing("nse").synthesize(Request("hello", input=short, edit=edit))


def test_an_edit_needs_to_know_what_all_of_it_says(doing, short):
    with pytest.raises(TextError, match="there is no text to say"):
        doing("cse").synthesize(Request("", input=short, edit=(0.1, 0.2)))


def test_a_text_becomes_another_text(doing):
    phonemes = doing("phn").generate_text("hello")
    assert (phonemes.text, phonemes.spelling) == (phonemes.phonemes, "")
    letters = doing("un-phn").generate_text("hello")
    assert (letters.text, letters.phonemes) == (letters.spelling, "")
    assert letters.text


@pytest.mark.parametrize(
    ("task", "given", "error", "told"),
    [
        ("phn", {}, TextError, "no text for the task phn"),
        (
            "phn",
            {"text": "hello", "recording": True},
            ConfigError,
            "does not use an input recording",
        ),
        ("stt", {"text": "hello", "recording": True}, ConfigError, "does not use a text"),
        ("stt", {}, ConfigError, "needs an input recording"),
    ],
)
def test_a_text_is_made_of_what_the_task_reads(doing, short, task, given, error, told):
    brought = {**given, **({"recording": short} if "recording" in given else {})}
    with pytest.raises(error, match=told):
        doing(task).generate_text(**brought)


def test_a_recording_that_is_too_long_is_refused(doing, tone):
    long = Clip(torch.from_numpy(tone.samples).repeat(2).numpy(), tone.sample_rate)
    with pytest.raises(AudioError, match=r"3 s"):
        doing("ns").synthesize(Request("", input=long))


def test_a_voice_whose_words_are_known_is_used_as_a_whole(doing, tone):
    synthesizer = doing("tts-c")
    voice = synthesizer.voice(tone, transcript="ab")
    plan = synthesizer.stream(Request("hello", voice=voice)).plan
    sample = plan.job(0).sample
    assert sample.prompt.shape[1] == voice.codes.values.shape[1]
    assert len(sample.prompt_text) == 4


def test_a_task_that_writes_speech_cannot_transcribe(doing, short):
    with pytest.raises(ConfigError, match="writes speech, not text"):
        doing("tts").transcribe(short)


def test_a_transcript_that_was_cut_off_says_so(doing, short):
    found = doing("stt").transcribe(short)
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


def test_what_is_made_of_a_recording_is_about_as_long_as_that(doing, codec):
    rate = codec.frame_rate
    recording = to_codes(torch.zeros(codec.levels, 40, dtype=torch.long), codec)

    def job(task, **request):
        plan = doing(task)._planner(Request("hello", seed=0, **request), None, recording)
        return plan.job(0)

    assert job("ns").bounds == Bounds(20, 50)
    assert job("ns", max_seconds=10.5 / rate).bounds == Bounds(10, 10)
    edited = job("cse", edit=(10 / rate, 29.7 / rate))
    assert edited.sample.edit == (10, 30)
    options = doing("cse")._planner._parts.config.synthesis
    said = Bounds.of(len(edited.sample.text), rate, options, None)
    assert edited.bounds == said.after(20)  # what is kept stays as long as it is
    with pytest.raises(AudioError, match="cannot be replaced"):
        job("cse", edit=(0.0, 41 / rate))


def test_a_voice_whose_recording_was_cut_cannot_be_continued(doing, codec):
    """Its transcript would say more than is heard."""
    frames = int(LONGEST_SECONDS * codec.frame_rate)
    codes = to_codes(torch.zeros(codec.levels, frames, dtype=torch.long), codec)
    voice = Voice("long", codes, transcript="a word")
    with pytest.raises(AudioError, match="only the first 30 s of voice 'long'"):
        doing("tts-c").synthesize("hello", voice=voice)
