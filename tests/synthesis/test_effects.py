"""All audio of a synthesizer passes its effects, whichever way it comes out."""

import numpy as np
import pytest
from attrs import evolve, frozen
from tiny_synthesizer import SHORT

from vall_e.audio.effects.components import AUDIO_EFFECTS
from vall_e.audio.effects.options import LimiterConfig, LoudnessConfig
from vall_e.config.choices import AudioEffectChoice
from vall_e.errors import PluginError
from vall_e.registry import Component
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.request import Request
from vall_e.synthesis.result import provenance_in
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.testing.fakes.tiny_model import tiny_bundle

LIMITER, LOUDNESS = AUDIO_EFFECTS
TEXT = "hello. so what? yes."


@frozen
class Nothing:
    """No options."""


def chosen(effect, name="logged"):
    component = Component(name=name, config=Nothing, build=lambda _: effect, summary="a test")
    return AudioEffectChoice(component, Nothing())


class Log:
    """Notes all audio, and holds back the last samples."""

    HELD = 50

    def __init__(self):
        self.heard = []

    def stream(self, sample_rate, provenance):
        stream = Negated(self.HELD)
        self.heard.append((sample_rate, dict(provenance), stream))
        return stream


class Negated:
    def __init__(self, held):
        self.held = held
        self.rest = np.zeros(0, np.float32)
        self.flushed = 0

    def push(self, audio):
        both = np.concatenate([self.rest, audio])
        cut = max(0, len(both) - self.held)
        self.rest = both[cut:]
        return -both[:cut]

    def flush(self):
        self.flushed += 1
        return -self.rest


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def through(registry, codec):
    """Make a tiny synthesizer with these effects."""

    def make(*effects):
        bundle = tiny_bundle(registry, codec, synthesis=SHORT)
        config = bundle.config
        changed = evolve(config, synthesis=evolve(config.synthesis, effects=effects))
        return Synthesizer(Parts.of(evolve(bundle, config=changed), codec), device="cpu")

    return make


@pytest.fixture
def logged(through, log):
    return through(chosen(log))


def test_whole_and_streamed_audio_passes_the_effects(logged, tiny):
    plain = tiny.synthesize(TEXT, seed=1).audio
    whole = logged.synthesize(TEXT, seed=1).audio
    stream = logged.stream(TEXT, seed=1)
    streamed = np.concatenate([chunk.audio for chunk in stream])
    assert np.array_equal(whole, -plain)
    assert np.array_equal(streamed, whole)
    assert np.array_equal(stream.result().audio, whole)


def test_a_batch_passes_the_effects(logged, log):
    texts = [TEXT, "so."]
    batch = logged.synthesize_batch([Request(text, seed=1) for text in texts])
    for text, result in zip(texts, batch, strict=True):
        alone = logged.synthesize(text, seed=1).audio
        np.testing.assert_allclose(result.audio, alone, atol=1e-4)
    assert [stream.flushed for *_, stream in log.heard] == [1] * len(log.heard)


def test_an_effect_knows_how_the_audio_is_made(logged, log, tiny):
    result = logged.synthesize(TEXT, seed=3)
    [(rate, provenance, _)] = log.heard
    assert rate == tiny.sample_rate
    assert (provenance["text"], provenance["seed"]) == (TEXT, 3)
    assert provenance["effects"] == ["logged"]
    assert provenance == result.provenance


def test_a_saved_file_states_its_effects(logged, tmp_path):
    logged.synthesize("so.", seed=3).save(tmp_path / "a.wav")
    assert provenance_in(tmp_path / "a.wav")["effects"] == ["logged"]


def test_effects_follow_each_other(through, tiny):
    limited = AudioEffectChoice(LIMITER, LimiterConfig(gain_db=20, ceiling_db=-6))
    synthesizer = through(limited, chosen(Log()), chosen(Log()))
    audio = synthesizer.synthesize(TEXT, seed=1).audio
    alone = through(limited).synthesize(TEXT, seed=1).audio
    assert np.array_equal(audio, alone)
    assert len(audio) == len(tiny.synthesize(TEXT, seed=1).audio)
    assert 0.4 < np.abs(audio).max() <= 10 ** (-6 / 20)


def test_a_request_that_is_stopped_gives_what_was_held_back(logged):
    stream = logged.stream(TEXT, seed=1)
    first = next(stream).audio
    rest = stream.stop()
    assert len(rest.audio) == Log.HELD
    assert np.array_equal(stream.result().audio, np.concatenate([first, rest.audio]))
    assert stream.stop() is None


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        (np.zeros((1, 5), np.float32), "no array"),
        (np.zeros(5), "no array"),
        (np.full(5, np.nan, np.float32), "not finite"),
        ([0.0], "no array"),
    ],
)
def test_an_effect_that_gives_no_audio_is_named(through, output, fault):
    class Wrong(Log, Negated):
        def stream(self, sample_rate, provenance):
            return self

        def push(self, audio):
            return output

    with pytest.raises(PluginError, match=f"'wrong' .*{fault}"):
        through(chosen(Wrong(), "wrong")).synthesize("so.", seed=1)


def test_the_limiter_keeps_what_is_below_its_ceiling():
    quiet = np.sin(np.arange(4800) / 20, dtype=np.float32) * np.float32(0.5)
    stream = LIMITER.build(LimiterConfig()).stream(24000, {})
    assert np.array_equal(np.concatenate([stream.push(quiet), stream.flush()]), quiet)


def test_the_limiter_lowers_the_gain_before_a_peak():
    audio = np.full(4800, 0.1, np.float32)
    audio[2400] = 1.0
    stream = LIMITER.build(LimiterConfig(ceiling_db=-20)).stream(24000, {})
    out = np.concatenate([stream.push(audio), stream.flush()])
    assert out[2400] == pytest.approx(0.1, abs=1e-3)
    assert np.all(np.diff(out[2281:2400]) < 0), "it falls without a step"
    assert out[2200] == pytest.approx(0.1)


def test_each_result_has_the_loudness_asked_for():
    from vall_e.audio.loudness import lufs

    voice = np.sin(np.arange(48000) / 20, dtype=np.float32) * np.float32(0.01)
    stream = LOUDNESS.build(LoudnessConfig(lufs=-20)).stream(24000, {})
    stream.push(voice)
    assert lufs(stream.flush(), 24000) == pytest.approx(-20, abs=0.1)
