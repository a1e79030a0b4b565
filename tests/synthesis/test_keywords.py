"""The synthesizer as a Python program uses it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vall_e.errors import ConfigError, TextError
from vall_e.synthesis.request import Request


def test_keywords_are_those_of_a_request_and_replace_its_own(tiny):
    request = Request("hello", seed=1, language="en-us", max_seconds=0.1)
    wanted = tiny.synthesize(request).audio
    for text, keywords in (
        ("hello", {"seed": 1, "language": "en-us", "max_seconds": 0.1}),
        (request, {}),
        (Request("hello", seed=2, max_seconds=0.2), {"seed": 1, "max_seconds": 0.1}),
    ):
        assert np.array_equal(tiny.synthesize(text, **keywords).audio, wanted)
    chunks = tiny.stream("hello", seed=1, language="en-us", max_seconds=0.1)
    assert np.array_equal(np.concatenate([chunk.audio for chunk in chunks]), wanted)


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_speed_changes_the_duration_and_no_code(tiny, speed):
    plain = tiny.synthesize("hello. you there.", seed=1)
    made = tiny.synthesize("hello. you there.", seed=1, speed=speed)
    assert np.array_equal(made.codes.values, plain.codes.values)
    assert made.seconds == pytest.approx(plain.seconds / speed, abs=0.01)
    assert made.provenance["speed"] == speed
    joined = [chunk.audio for chunk in tiny.stream("hello. you there.", seed=1, speed=speed)]
    assert np.array_equal(np.concatenate(joined), made.audio)


@pytest.mark.parametrize(
    ("text", "keywords", "says"),
    [
        (None, {}, "the text must be a string, got NoneType"),
        (7, {}, "the text must be a string, got int"),
        ("hi", {"seed": -1}, "a seed must be a whole number, 0 or more, got -1"),
        ("hi", {"seed": "a"}, "a seed must be a whole number, 0 or more, got 'a'"),
        ("hi", {"seed": 1.5}, "a seed must be a whole number"),
        ("hi", {"seed": True}, "a seed must be a whole number"),
        ("hi", {"max_seconds": float("nan")}, "max_seconds must be a number above 0, got nan"),
        ("hi", {"max_seconds": 0}, "max_seconds must be a number above 0, got 0"),
        ("hi", {"speed": float("inf")}, "speed must be a number from 0.25 to 4"),
        ("hi", {"speed": "fast"}, "speed must be a number from 0.25 to 4"),
    ],
)
def test_values_that_cannot_be_used_are_errors_of_ours(tiny, text, keywords, says):
    for call in (tiny.synthesize, tiny.stream):
        with pytest.raises(ConfigError) as caught:
            call(text, **keywords)
        assert says in caught.value.message


def test_one_bad_request_of_a_batch_fails_alone(tiny):
    made, nothing, none = tiny.synthesize_batch(["hello", "", None])
    assert made.audio.size
    assert isinstance(nothing, TextError)
    assert isinstance(none, ConfigError)


def test_it_says_what_it_is(tiny):
    shown = repr(tiny)
    assert "a model in memory" in shown
    for fact in ("task tts", "en-us", "kathleen", f"{tiny.sample_rate} Hz", "cpu"):
        assert fact in shown
    assert tiny.sample_rate == tiny.codec.sample_rate
    assert tiny.phonemize("hello") == "hello"


def test_its_names_are_ones_that_a_user_can_guess(tiny):
    assert [name for name in dir(tiny) if name[0] != "_"] == [
        "codec", "config", "default_voice", "deterministic", "device", "generate_text",
        "join_voices", "languages", "loras", "mix_voices", "model", "of", "phonemize",
        "provenance", "sample_rate", "stream", "synthesize", "synthesize_batch", "task",
        "transcribe", "voice", "voices",
    ]  # fmt: skip


@pytest.mark.slow
def test_four_threads_give_the_same_audio_as_one_after_the_other(tiny, tone):
    voice = tiny.voice(tone)

    def speak(seed):
        return tiny.synthesize("hello you there.", voice=voice, seed=seed).audio

    wanted = [speak(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(speak, range(8)))
    assert all(map(np.array_equal, found, wanted))
