import weakref
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
import torch
from attrs import evolve

from vall_e.audio.clip import Clip
from vall_e.errors import AudioError, CheckpointError, ConfigError, TextError, UnavailableError
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.request import Request
from vall_e.synthesis.result import Result
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.testing.fakes.staircase_codec import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle

SHORT = {"max_seconds": 0.2, "seconds_per_symbol": [0.0, 0.25], "chunk_seconds": 0.1}
LONG = "One two three. Four five six? Seven."


def joined(stream):
    return np.concatenate([chunk.audio for chunk in stream])


def test_a_text_becomes_audio(tiny):
    result = tiny.synthesize("hello", seed=1)
    assert result.audio.dtype == np.float32
    assert np.abs(result.audio).max() <= 1
    assert result.sample_rate == 8000
    assert 0 < result.seconds <= 0.2
    assert result.codes.values.shape == (3, round(result.seconds * 50))
    assert result.sentences[0].phonemes == "hello"


def test_the_same_seed_gives_the_same_audio(tiny):
    first = tiny.synthesize(LONG, seed=7)
    assert np.array_equal(first.audio, tiny.synthesize(LONG, seed=7).audio)
    assert not np.array_equal(first.audio, tiny.synthesize(LONG, seed=8).audio)


def test_a_seed_that_was_not_given_is_reported(tiny):
    first = tiny.synthesize("hello")
    again = tiny.synthesize("hello", seed=first.seed)
    assert np.array_equal(first.audio, again.audio)
    assert tiny.synthesize("hello").seed != first.seed
    assert first.provenance["seed"] == first.seed


def test_the_same_sentence_twice_is_drawn_twice(tiny):
    first, second = tiny.synthesize("one.\n\none.", seed=1).sentences
    assert not np.array_equal(first.codes.values, second.codes.values)


def test_other_users_of_chance_change_nothing(tiny):
    first = tiny.synthesize("hello", seed=3)
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    assert np.array_equal(first.audio, tiny.synthesize("hello", seed=3).audio)
    assert torch.equal(before, torch.random.get_rng_state())


def alive(stream):
    """How many chunks of a stream are still held when each next one comes, at most."""
    chunks, most = [], 0
    for chunk in stream:
        chunks.append(weakref.ref(chunk.audio))
        del chunk
        most = max(most, sum(ref() is not None for ref in chunks))
    return most, len(chunks)


def test_a_stream_has_no_more_audio_however_long_the_text_is(tiny):
    text = "One two. " * 12
    whole = tiny.synthesize(text, seed=5)
    stream = tiny.stream(text, seed=5, keep_audio=False)
    most, chunks = alive(stream)
    assert most <= 2 < 20 < chunks
    told = stream.result()
    assert (told.seconds, told.samples) == (whole.seconds, len(whole.audio))
    assert np.array_equal(told.audio, whole.audio[-len(told.audio) :])
    usual, made = alive(tiny.stream(text, seed=5))
    assert usual == made  # the result has all of it


@pytest.mark.parametrize("text", ["hello", LONG, "Yes, indeed, and so on. Then more."])
def test_a_stream_is_the_offline_audio_in_pieces(speaker, text):
    tiny = speaker(first_words=1)
    stream = tiny.stream(text, seed=5)
    chunks = list(stream)
    offline = tiny.synthesize(text, seed=5)
    assert np.array_equal(np.concatenate([c.audio for c in chunks]), offline.audio)
    assert np.array_equal(stream.result().audio, offline.audio)
    assert np.array_equal(stream.result().codes.values, offline.codes.values)
    assert max(chunk.seconds for chunk in chunks) <= 0.21
    assert [chunk.sentence for chunk in chunks] == sorted(chunk.sentence for chunk in chunks)


def test_a_stream_makes_only_what_is_asked_for(tiny):
    reached = []
    stream = tiny.stream(LONG, seed=5, on_progress=lambda p: reached.append(p.sentence))
    next(stream)
    assert set(reached) == {0}
    whole = tiny.synthesize(LONG, seed=5)
    part = stream.result().audio
    assert np.array_equal(part, whole.audio[: len(part)])
    assert 0 < stream.result().timings.first_audio_seconds < whole.timings.total_seconds * 10


def test_the_first_sentence_can_be_cut_at_a_comma(speaker):
    text = "Yes, indeed, and so on. Then more."
    plain, cut = speaker().synthesize(text, seed=1), speaker(first_words=2).synthesize(text, seed=1)
    assert [s.text for s in plain.sentences] == ["Yes, indeed, and so on.", "Then more."]
    assert [s.text for s in cut.sentences] == ["Yes, indeed,", "and so on.", "Then more."]


def test_sentences_are_joined_with_pauses(speaker):
    together = speaker(pause_seconds=0.25).synthesize(LONG, seed=2)
    apart = speaker(pause_seconds=0.0).synthesize(LONG, seed=2)
    assert together.seconds == pytest.approx(apart.seconds + 2 * 0.25)
    assert np.array_equal(together.codes.values, apart.codes.values)
    first = together.sentences[0].codes.seconds
    silence = together.audio[round(first * 8000) : round((first + 0.25) * 8000)]
    assert not silence.any()


def test_a_batch_gives_what_each_gives_alone_in_its_order(speaker):
    tiny = speaker(batch_size=3, sampling={"nar": ["categorical"]})
    requests = [
        Request("a rather long text to say", seed=1),
        Request("b", seed=2, max_seconds=0.1),
        Request(LONG, seed=3),
    ]
    done = []
    batch = tiny.synthesize_batch(requests, on_sentences=lambda *at: done.append(at))
    assert done == [(3, 5), (5, 5)]
    for request, result in zip(requests, batch, strict=True):
        alone = tiny.synthesize(request)
        assert isinstance(result, Result)
        assert np.array_equal(result.codes.values, alone.codes.values)
        assert np.array_equal(result.audio, alone.audio)
        assert result.timings.total_seconds >= result.timings.ar_seconds > 0


def test_a_mistake_in_a_batch_harms_no_other_request(tiny):
    requests = [Request(""), Request("good", seed=1), Request("x", language="xx")]
    empty, good, foreign = tiny.synthesize_batch(requests)
    assert isinstance(empty, TextError)
    assert isinstance(good, Result)
    assert isinstance(foreign, TextError)
    assert "'xx'" in foreign.message


def test_a_batch_takes_texts_and_a_notebook_plays_its_results(tiny):
    [result] = tiny.synthesize_batch(["good"])
    assert repr(result) == f"<Result: {result.seconds:.2f} s at 8000 Hz, seed {result.seed}>"
    head, data = result._repr_html_().removesuffix('"></audio>').split(",")
    assert head == '<audio controls src="data:audio/wav;base64'
    heard = Clip.read(BytesIO(b64decode(data)))
    np.testing.assert_allclose(heard.samples.ravel(), result.audio, atol=1e-4)


def test_an_empty_batch_is_empty(tiny):
    assert tiny.synthesize_batch([]) == []


@pytest.mark.parametrize("text", ["", "  \n", "...", "— * —"])
def test_a_text_without_words_is_an_error(tiny, text):
    with pytest.raises(TextError) as caught:
        tiny.synthesize(text)
    assert caught.value.hint == "give at least one word"


def test_lines_without_words_are_passed_over(tiny):
    assert [s.text for s in tiny.synthesize("One.\n\n* * *\n\nTwo.", seed=0).sentences] == [
        "One.",
        "Two.",
    ]


def test_an_unknown_language_is_an_error_at_once(tiny):
    with pytest.raises(TextError) as caught:
        tiny.stream(Request("hello", language="klingon"))
    assert caught.value.message == "this model does not speak 'klingon'"
    assert "en-us" in caught.value.hint


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_duration_is_refused(tiny, seconds):
    with pytest.raises(ConfigError, match="max_seconds must be a number above 0"):
        tiny.synthesize(Request("hello", max_seconds=seconds))


def test_what_is_given_beside_a_request_counts_first(tiny, tone):
    request = Request("hello", voice="none", seed=1, max_seconds=0.1)
    result = tiny.synthesize(request, voice=tiny.voice(tone), seed=2)
    assert (result.seed, result.provenance["voice"]) == (2, "a clip")
    assert result.provenance["max_seconds"] == 0.1
    assert tiny.synthesize(request).seed == 1


class Counting:
    """A phonemizer that counts what it has read, and cannot read an `x`."""

    languages = ()

    def __init__(self):
        self.read = []

    def __call__(self, text, language):
        self.read.append(text)
        if "x" in text:
            raise TextError("there is an x", hint="leave it out")
        return text

    def alphabet(self):
        return []


@pytest.fixture
def counting(registry, codec):
    """A synthesizer, and the phonemizer that it reads with."""
    parts = Parts.of(tiny_bundle(registry, codec, synthesis=SHORT), codec)
    phonemizer = Counting()
    front_end = evolve(parts.front_end, phonemizer=phonemizer, normalizer=None)
    return Synthesizer(evolve(parts, front_end=front_end), device="cpu"), phonemizer


def test_a_stream_reads_a_sentence_when_its_turn_comes(counting):
    synthesizer, phonemizer = counting
    stream = synthesizer.stream("One.\n\nTwo.\n\nThree.", seed=0)
    assert set(phonemizer.read) == {"One."}
    next(chunk for chunk in stream if chunk.sentence == 1)
    assert set(phonemizer.read) == {"One.", "Two."}
    stream.read()
    assert set(phonemizer.read) == {"One.", "Two.", "Three."}


def test_a_sentence_that_cannot_be_read_stops_a_stream_there_and_a_whole_at_once(counting):
    synthesizer, _ = counting
    told = []
    stream = synthesizer.stream("One.\n\nx", seed=0)
    with pytest.raises(TextError, match="there is an x"):
        list(stream)
    assert [sentence.text for sentence in stream.result().sentences] == ["One."]
    with pytest.raises(TextError, match="there is an x"):
        synthesizer.synthesize("One.\n\nx", on_progress=told.append)
    assert told == []
    with pytest.raises(TextError, match="there is an x"):
        synthesizer.stream("x")


def test_a_sentence_that_does_not_end_is_cut_with_a_warning(tiny):
    result = tiny.synthesize(Request("hello there. Bye.", seed=0, max_seconds=0.02))
    assert [sentence.codes.frames for sentence in result.sentences] == [1, 1]
    assert not result.sentences[0].ended
    assert result.sentences[0].warning == (
        "sentence 1 of 2 was cut off after 0.02 s, since the model did not end it: 'hello there.'"
    )


def test_the_length_of_the_text_bounds_the_sentence(speaker):
    tiny = speaker(max_seconds=20.0, seconds_per_symbol=[0.0, 0.01])
    result = tiny.synthesize("ab", seed=0)
    assert result.sentences[0].codes.frames <= round((1 + 4 * 0.01) * 50)


def test_a_sentence_that_is_too_short_is_warned_of(speaker):
    tiny = speaker(seconds_per_symbol=[0.5, 1.0])
    results = (tiny.synthesize("abc", seed=seed) for seed in range(50))
    sentence = next(r.sentences[0] for r in results if r.sentences[0].ended)
    assert f"lasts only {sentence.codes.seconds:.2f} s, so words are" in sentence.warning


@pytest.mark.parametrize("seed", range(5))
def test_further_attempts_repair_what_they_can(speaker, seed):
    once = speaker(seconds_per_symbol=[0.0, 1.0])
    often = speaker(seconds_per_symbol=[0.0, 1.0], attempts=20)
    first, best = (each.synthesize("abc", seed=seed).sentences[0] for each in (once, often))
    assert best.ended
    assert (best.attempt == 0) == first.ended
    if first.ended:
        assert np.array_equal(first.codes.values, best.codes.values)


def test_what_the_vocabulary_lacks_is_reported(tiny, caplog):
    result = tiny.synthesize("a#b", seed=0)
    assert result.warnings[0].startswith("not spoken in 'a#b': '#' x 1")


def test_progress_is_reported(tiny):
    seen = []
    tiny.synthesize("One. Two.", seed=0, on_progress=seen.append)
    assert {(at.sentence, at.sentences) for at in seen} == {(0, 2), (1, 2)}
    assert seen[-1].levels == 2
    frames = [at.frames for at in seen if at.sentence == 0 and not at.levels]
    assert frames == list(range(1, len(frames) + 1))


def test_stopping_keeps_what_was_made(tiny):
    def stop_at_second(at):
        if at.sentence == 1:
            raise KeyboardInterrupt

    stream = tiny.stream(LONG, seed=4, on_progress=stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        list(stream)
    kept, whole = stream.result(), tiny.synthesize(LONG, seed=4)
    assert 0 < len(kept.audio) < len(whole.audio)
    assert np.array_equal(kept.audio, whole.audio[: len(kept.audio)])


def test_a_voice_comes_first_in_the_input(tiny, tone):
    voice = tiny.voice(tone)
    assert voice.codes.codec == tiny.codec.identity
    [job] = tiny._planner(Request("hello"), voice).jobs()
    segments = tiny.task.segments(job.sample, level=0)
    [prompt] = [segment for segment in segments if segment.name == "prompt"]
    assert np.array_equal(prompt.ids, voice.codes.values)
    assert tiny.synthesize("hello", voice=voice, seed=1).provenance["voice"] == "a clip"


def test_only_the_start_of_a_voice_is_used(speaker, tone):
    short, long = speaker(prompt_seconds=0.5), speaker(prompt_seconds=1.0)
    voice = short.voice(tone)
    assert short._planner(Request("a"), voice).job(0).sample.prompt.shape == (3, 25)
    assert long._planner(Request("a"), voice).job(0).sample.prompt.shape == (3, 50)


def test_voices_come_from_recordings_voice_files_and_paths_as_text(tiny, tone, tmp_path):
    recording, encoded = tmp_path / "me.flac", tmp_path / "me.voice.safetensors"
    tone.write(recording)
    voice = tiny.voice(recording, transcript="la la", consent="me")
    assert (voice.name, voice.transcript, voice.consent) == ("me", "la la", "me")
    voice.save(encoded)
    results = [
        tiny.synthesize("hello", voice=each, seed=1).audio
        for each in (recording, str(recording), encoded, voice)
    ]
    assert all(np.array_equal(results[0], result) for result in results)


@pytest.mark.parametrize(
    ("voice", "says"),
    [
        ("nobody", "no voice is called 'nobody', and no such file exists"),
        ("no/such/file.wav", "there is no file no/such/file.wav"),
        ("me.flac", "there is no file me.flac"),
    ],
)
def test_an_unknown_voice_is_an_error(tiny, voice, says):
    with pytest.raises(AudioError) as caught:
        tiny.synthesize("hello", voice=voice)
    assert caught.value.message == says


def test_a_voice_of_another_codec_is_refused_by_both_names(tiny, speaker, tone):
    other = StaircaseCodec(levels=3, codebook_size=8, sample_rate=4000)
    voice = speaker(codec=other).voice(tone)
    with pytest.raises(CheckpointError) as caught:
        tiny.synthesize("hello", voice=voice)
    assert other.identity in caught.value.message
    assert tiny.codec.identity in caught.value.message


def test_a_model_of_another_codec_is_refused(registry, codec):
    bundle = tiny_bundle(registry, StaircaseCodec(levels=2))
    with pytest.raises(CheckpointError, match="the model writes codes of staircase:2x16"):
        Parts.of(bundle, codec)


def test_fewer_levels_are_the_first_of_all(speaker):
    whole = speaker().synthesize("hello", seed=0)
    coarse = speaker(levels=2).synthesize("hello", seed=0)
    assert np.array_equal(coarse.codes.values, whole.codes.values[:2])
    assert len(coarse.audio) == len(whole.audio)


def test_more_levels_than_there_are_is_an_error(speaker):
    with pytest.raises(ConfigError, match="levels is 99, the model has"):
        speaker(levels=99)


def test_an_ar_model_speaks_with_one_level(speaker):
    result = speaker(model={"capabilities": ["ar"]}).synthesize("hello", seed=0)
    assert len(result.codes.values) == 1
    assert len(result.audio)


def test_a_device_that_is_not_here_is_an_error(registry, codec):
    parts = Parts.of(tiny_bundle(registry, codec), codec)
    with pytest.raises(UnavailableError, match=r"synthesis\.device: there is no device 'warp'"):
        Synthesizer(parts, device="warp")


def test_two_synthesizers_do_not_touch_each_other(speaker):
    one, two = speaker(), speaker(sampling={"ar": ["greedy"], "nar": ["greedy"]})
    before = one.synthesize("hello", seed=1).audio
    two.synthesize("hello", seed=1)
    assert np.array_equal(before, one.synthesize("hello", seed=1).audio)


def test_a_result_says_how_it_came_about(tiny, tmp_path):
    result = tiny.synthesize("Hello. You.", seed=1)
    told = result.to_json()
    assert told["seed"] == 1
    assert told["provenance"]["text"] == "Hello. You."
    assert told["provenance"]["codec"] == tiny.codec.identity
    assert set(told["provenance"]["versions"]) == {"vall-e", "torch", "python"}
    assert len(told["provenance"]["config"]) == 64
    times = result.timings
    parts = times.ar_seconds + times.nar_seconds + times.codec_seconds
    assert 0 < parts <= times.total_seconds
    assert 0 < times.first_audio_seconds <= times.total_seconds
    assert result.rtf == pytest.approx(times.total_seconds / result.seconds)
