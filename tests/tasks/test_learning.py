"""A model that learns a task by heart gives the right answer to real audio."""

import random
from collections.abc import Callable

import pytest
import torch
from attrs import evolve, field, frozen

from vall_e.codec.encode import to_codes
from vall_e.synthesis.request import Request
from vall_e.synthesis.voice import Voice
from vall_e.tasks.components import TASKS

SAME = 0.95
"""Share of the codes that are right; the rest is for a mixture that was never heard."""


@frozen
class Lesson:
    """What is taught, and the pairs of what a learnt model answers and what is right."""

    answers: Callable
    options: dict[str, object] = field(factory=dict)
    texts: tuple[str, ...] = ("tone", "bush")
    speakers: tuple[str, ...] = ("ann", "bob")
    steps: int = 150
    same: float = SAME
    """Of all levels; of level 0 it is `SAME`. Soft noise changes the finest codes by chance."""


def say(learnt, text="", **rest):
    return learnt.synthesizer.synthesize(Request(text, seed=0, **rest)).codes.values


def codes_of(learnt):
    return [utterance.codes() for utterance in learnt.corpus.utterances]


def noise(learnt, frames):
    """Begun where the training may or may not have begun it."""
    return learnt.materials.of(0, 0).noise(frames, random.Random(99))


def mixed(learnt, main, other, decibels=0.0):
    return learnt.sound(learnt.materials.of(0, 0).mixed(main, other, decibels=decibels))


def voice(learnt, codes, transcript=""):
    """Codes as they are: silence cut off a recording's ends would change them."""
    return evolve(Voice("test", to_codes(codes, learnt.codec)), transcript=transcript)


def speech(learnt):
    ann, bob, more_ann, more_bob = codes_of(learnt)
    for wanted, prompt, utterance in zip(
        (ann, bob), (more_ann, more_bob), learnt.corpus.utterances, strict=False
    ):
        yield say(learnt, utterance.entry.phonemes, voice=voice(learnt, prompt)), wanted


def continued(learnt):
    first, second = learnt.corpus.utterances
    before = voice(learnt, first.codes(), transcript=first.entry.phonemes)
    yield say(learnt, second.entry.phonemes, voice=before), second.codes()


def cleaned(learnt):
    for codes in codes_of(learnt):
        yield say(learnt, input=mixed(learnt, codes, noise(learnt, codes.shape[1]), 10.0)), codes


def removed(learnt):
    for codes in codes_of(learnt):
        rain = noise(learnt, codes.shape[1])
        yield say(learnt, input=mixed(learnt, rain, codes)), rain


def extracted(learnt):
    ann, bob, more_ann, more_bob = codes_of(learnt)
    for wanted, other, prompt in ((ann, bob, more_ann), (bob, ann, more_bob)):
        both = mixed(learnt, wanted, other)
        yield say(learnt, input=both, voice=voice(learnt, prompt)), wanted


def converted(learnt):
    said, wanted, _, bob = codes_of(learnt)
    yield say(learnt, input=learnt.sound(said), voice=voice(learnt, bob)), wanted


def edited(learnt):
    """`ab ef` is to become `ab cd`."""
    (ab, cd, ef), rate = codes_of(learnt), learnt.codec.frame_rate
    before, seconds = learnt.sound(_after(ab, ef)), ab.shape[1] / rate
    yield say(learnt, "ab cd", input=before, edit=(seconds, 2 * seconds)), _after(ab, cd)


def edited_in_noise(learnt):
    (ab, cd, ef), rate = codes_of(learnt), learnt.codec.frame_rate
    source, rain = learnt.materials.of(0, 0), noise(learnt, 3 * ab.shape[1])
    noisy = source.mixed(_after(ab, cd, ef), rain, decibels=40.0)
    ab, cd, ef = noisy.split(ab.shape[1], dim=1)
    before, seconds = learnt.sound(_after(ab, ef)), ab.shape[1] / rate
    yield say(learnt, "ab cd", input=before, edit=(seconds, 2 * seconds)), _after(ab, cd)


def _after(*parts):
    return torch.cat(parts, dim=1)


def heard(learnt):
    for utterance in learnt.corpus.utterances:
        found = learnt.synthesizer.transcribe(learnt.sound(utterance.codes()))
        yield found.phonemes, utterance.entry.phonemes


def pronounced(learnt):
    for utterance in learnt.corpus.utterances:
        yield (
            learnt.synthesizer.generate_text(utterance.entry.text).phonemes,
            utterance.entry.phonemes,
        )


def spelt(learnt):
    for utterance in learnt.corpus.utterances:
        yield (
            learnt.synthesizer.generate_text(utterance.entry.phonemes).spelling,
            utterance.entry.text,
        )


FOUR = ("tone", "bush", "gnat", "sole")
PARTS = {"texts": ("ab", "cd", "ef"), "speakers": ("ann",), "steps": 200}
LESSONS = {
    "tts": Lesson(speech, texts=FOUR),
    "tts-c": Lesson(continued, speakers=("ann",)),
    "ns": Lesson(cleaned, {"decibels": [5.0, 15.0]}, steps=200),
    "sr": Lesson(removed, {"decibels": [-5.0, 5.0]}, steps=200, same=0.75),
    "tse": Lesson(extracted, {"decibels": [0.0, 0.0]}, texts=FOUR, steps=200),
    "vc": Lesson(converted, texts=("tone", "tone", "bush", "bush")),
    "cse": Lesson(edited, {"only_one_side": 1.0}, **PARTS),
    "nse": Lesson(
        edited_in_noise, {"only_one_side": 1.0, "decibels": [40.0, 40.0]}, same=0.75, **PARTS
    ),
    "stt": Lesson(heard),
    "phn": Lesson(pronounced),
    "un-phn": Lesson(spelt),
}


def test_every_task_has_a_lesson():
    """`len` serves the others: tests/synthesis has its own."""
    assert LESSONS.keys() == {component.name for component in TASKS} - {"len"}


OF_TEXT = ("stt", "phn", "un-phn")
"""What one model learns at once."""
TAUGHT = [*((task,) for task in LESSONS if task not in OF_TEXT), OF_TEXT]


@pytest.mark.slow
@pytest.mark.parametrize("tasks", TAUGHT, ids=" ".join)
def test_a_task_that_was_learnt_by_heart_is_done(school, tasks):
    lesson = LESSONS[tasks[0]]
    school.record(*lesson.texts, speakers=lesson.speakers)
    options = [{"name": task, **LESSONS[task].options} for task in tasks]
    learnt = school.teach(*options, steps=lesson.steps)
    for task in tasks:
        answers = list(LESSONS[task].answers(learnt.doing(task)))
        assert answers
        for found, wanted in answers:
            if isinstance(wanted, str):
                assert found == wanted
            else:
                assert agreement(found[:1], wanted[:1].numpy()) > SAME
                assert agreement(found, wanted.numpy()) > lesson.same


def agreement(found, wanted):
    """The share of codes that are right, of the longer of the two."""
    frames = min(found.shape[1], wanted.shape[1])
    same = (found[:, :frames] == wanted[:, :frames]).mean()
    return same * frames / max(found.shape[1], wanted.shape[1])
