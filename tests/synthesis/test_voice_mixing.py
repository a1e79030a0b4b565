"""Voices that are made of several."""

import pytest
import torch
from attrs import evolve

from vall_e.errors import AudioError, CheckpointError, ConfigError
from vall_e.interfaces.task import Sample
from vall_e.model.sequence import Example, without
from vall_e.synthesis.voice_mixing import joined, mixed


@pytest.fixture
def voices(tiny, tone):
    """Of one and of three quarters of a second."""
    return [tiny.voice(tone.cut(0.0, 1.0)), tiny.voice(tone.cut(1.0, 1.75))]


def _codes(tiny, voice):
    return tiny.synthesize("hello there", voice=voice, seed=3).codes.values.tolist()


def test_glue_of_one_is_that_one(tiny, tone):
    voice = tiny.voice(tone)
    assert tiny.join_voices([voice]) is voice
    assert tiny.mix_voices([(voice, 0.3)]) is voice


def test_glued_recordings_share_the_prompt(voices):
    first, second = voices
    rate = first.codes.frame_rate
    both = joined(voices, 1.0)
    assert both.codes.values.shape[1] == 2 * round(rate / 2)
    assert (both.prompt(1.0)[:, -1].numpy() == second.codes.values[:, round(rate / 2) - 1]).all()
    whole = joined([evolve(v, transcript=t) for v, t in zip(voices, "ab", strict=True)], None)
    assert whole.codes.values.shape[1] == sum(v.codes.values.shape[1] for v in voices)
    assert whole.transcript == "a b"
    half = [evolve(first, transcript="a", consent="Ann"), evolve(second, consent="Bob")]
    assert joined(half, None).transcript == ""  # words of a part would be taken for all
    assert joined(half, None).consent == "Ann; Bob"


def test_a_mixture_of_a_voice_with_itself_is_that_voice(tiny, tone):
    voice = tiny.voice(tone)
    assert _codes(tiny, mixed([(voice, 3.0), (voice, 1.0)])) == _codes(tiny, voice)


def test_a_mixture_is_the_mean_of_the_vectors_by_weight(tiny, voices):
    model = tiny.model
    blend = mixed([(voices[0], 3.0), (voices[1], 1.0)])
    frames = blend.prompt(3.0).shape[1]
    assert frames == voices[1].codes.values.shape[1]  # as much as the shortest has

    def embedded(prompt, mix=(), level=0):
        sample = Sample(torch.tensor([1, 5, 2]), 0, prompt, torch.zeros(4, 2, dtype=torch.long))
        segments = tiny.task.segments(evolve(sample, mix=mix), level=level)
        with torch.no_grad():
            return model.embedding([Example(tuple(segments), level)]).vectors

    for level in (0, 2):
        alone = [embedded(voice.prompt(3.0)[:, :frames], level=level) for voice in voices]
        ours = embedded(blend.prompt(3.0), blend.mix(3.0), level)
        torch.testing.assert_close(ours, 0.75 * alone[0] + 0.25 * alone[1])
    sample = Sample(torch.tensor([1, 2]), 0, blend.prompt(3.0), torch.zeros(1, 0, dtype=torch.long))
    assert without(evolve(sample, mix=blend.mix(3.0)), ["prompt"]).mix == ()


def test_what_cannot_be_mixed_is_refused(tiny, voices, tmp_path):
    blend = mixed([(voice, 1.0) for voice in voices])
    with pytest.raises(AudioError, match="is a mixture"):
        joined([blend, voices[0]], 1.0)
    with pytest.raises(AudioError, match="a voice file holds one voice"):
        blend.save(tmp_path / "blend.voice.safetensors")
    with pytest.raises(ConfigError, match="no voice to join"):
        joined([], 1.0)
    with pytest.raises(ConfigError, match="must be a number above 0"):
        mixed([(voices[0], 1.0), (voices[1], 0.0)])
    other = evolve(voices[1], codes=evolve(voices[1].codes, codec="other"))
    with pytest.raises(CheckpointError, match="codes of other"):
        tiny.synthesize("hello", voice=mixed([(voices[0], 1.0), (other, 1.0)]))
