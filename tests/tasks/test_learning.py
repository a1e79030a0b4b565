"""A model that learns a task by heart gives the right answer to real audio."""

import random

import pytest
from attrs import evolve

from vall_e.model.coding import to_codes
from vall_e.synthesis.plan import Request
from vall_e.synthesis.voice import Voice

pytestmark = pytest.mark.slow


def _mixture(learnt, index, *, decibels=10.0, of=None):
    """The sound of an utterance with noise that the training never drew."""
    source = learnt.materials.of(index, 0)
    codes = learnt.corpus.utterances[index].codes()
    other = source.noise(codes.shape[1], random.Random(99)) if of is None else of
    return learnt.sound(source.mixed(codes, other, decibels=decibels))


def _agreement(found, wanted):
    frames = min(found.shape[1], wanted.shape[1])
    same = (found[:, :frames] == wanted[:, :frames].numpy()).mean()
    return same * frames / max(found.shape[1], wanted.shape[1])


def _request(text="", **rest):
    return Request(text, seed=0, **rest)


def _recordings(learnt):
    """Each utterance with its codes."""
    return [(i, u, u.codes()) for i, u in enumerate(learnt.corpus.utterances)]


def test_noise_suppression_returns_the_clean_codes(school):
    learnt = school.teach({"name": "ns", "decibels": [5.0, 15.0]}, steps=200)
    for index, _, codes in _recordings(learnt):
        result = learnt.synthesizer.synthesize(_request(input=_mixture(learnt, index)))
        assert _agreement(result.codes.values, codes) > 0.95, result.warnings


def test_speech_to_text_returns_the_phonemes(school):
    learnt = school.teach("stt", steps=150)
    for _, utterance, codes in _recordings(learnt):
        found = learnt.synthesizer.transcribe(learnt.sound(codes))
        assert found.phonemes == utterance.entry.phonemes
        assert found.ended


def test_a_continuation_says_the_text_after_the_words_of_the_voice(school):
    school.record("one two", "six ten", speakers=("ann",))
    learnt = school.teach("tts-c", steps=120)
    first, second = learnt.corpus.utterances
    voice = evolve(_voice(learnt, first.codes()), transcript=first.entry.text)
    result = learnt.synthesizer.synthesize(_request(second.entry.text, voice=voice))
    assert _agreement(result.codes.values, second.codes()) > 0.95, result.warnings


def test_speech_removal_returns_the_noise(school):
    learnt = school.teach({"name": "sr", "decibels": [-5.0, 5.0]}, steps=250)
    source = learnt.materials.of(0, 0)
    codes = learnt.corpus.utterances[0].codes()
    noise = source.noise(codes.shape[1], random.Random(99))
    mixture = learnt.sound(source.mixed(noise, codes, decibels=0.0))
    result = learnt.synthesizer.synthesize(_request(input=mixture))
    assert _agreement(result.codes.values, noise) > 0.9, result.warnings


def test_voice_conversion_says_the_same_in_the_voice_of_the_prompt(school):
    school.record("one two", "one two", "six ten", "six ten")
    learnt = school.teach("vc", steps=200)
    said, wanted, _, bob = (utterance.codes() for utterance in learnt.corpus.utterances)
    result = learnt.synthesizer.synthesize(
        _request(input=learnt.sound(said), voice=_voice(learnt, bob))
    )
    assert _agreement(result.codes.values, wanted) > 0.95, result.warnings


def test_extraction_returns_the_speaker_of_the_prompt(school):
    school.record("one two", "six ten", "ten one", "two six")
    learnt = school.teach({"name": "tse", "decibels": [0.0, 0.0]}, steps=300)
    ann, bob, more_ann, more_bob = (u.codes() for u in learnt.corpus.utterances)
    for wanted, other, prompt in ((ann, bob, more_ann), (bob, ann, more_bob)):
        mixture = learnt.sound(learnt.materials.of(0, 0).mixed(wanted, other, decibels=0.0))
        result = learnt.synthesizer.synthesize(
            _request(input=mixture, voice=_voice(learnt, prompt))
        )
        assert _agreement(result.codes.values, wanted) > 0.9, result.warnings


def _voice(learnt, codes):
    """Codes as they are: silence cut off a recording's ends would change them."""
    return Voice("test", to_codes(codes, learnt.codec))
