import random

import pytest
import torch

from vall_e.tasks.components import TASKS
from vall_e.testing.task import CODES, MIXED, NOISE, PROMPT, TEXT, FixedSource, TaskContract

BY_NAME = {component.name: component for component in TASKS}


def make(name, **options):
    component = BY_NAME[name]
    return component.build(component.config(**options))


class TestContinued(TaskContract):
    def make(self):
        return make("tts-c")


class TestNoiseSuppression(TaskContract):
    def make(self):
        return make("ns")


class TestSpeechRemoval(TaskContract):
    def make(self):
        return make("sr")


class TestRecognition(TaskContract):
    def make(self):
        return make("stt")


class TestConversion(TaskContract):
    def make(self):
        return make("vc")


class TestExtraction(TaskContract):
    def make(self):
        return make("tse")


def sample(task):
    return task.sample(
        text=TEXT, language=0, codes=CODES, source=FixedSource(), rng=random.Random(0)
    )


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("tts-c", "text language level prompt tts-c response"),
        ("ns", "text language level ns input response"),
        ("sr", "text language level sr input response"),
        ("tse", "text language level prompt tse input response"),
        ("vc", "language level prompt vc input response"),
        ("stt", "stt input language level text"),
    ],
)
def test_the_layout_is_as_documented(name, names):
    task = make(name)
    assert [s.name for s in task.segments(sample(task), level=0)] == names.split()
    assert "language" not in [
        s.name for s in make(name, language=False).segments(sample(task), level=0)
    ]


def test_what_is_continued_stands_before_the_text_and_in_the_prompt():
    task = make("tts-c")
    text, *_ = task.segments(sample(task), level=0)
    assert text.ids.tolist() == [*TEXT.tolist(), *TEXT.tolist()]
    assert sample(task).prompt.equal(PROMPT)


def test_noise_is_in_the_input_and_not_in_the_response():
    made = sample(make("ns"))
    assert made.input.equal(MIXED)
    assert made.response.equal(CODES)


def test_speech_removal_leaves_the_noise():
    made = sample(make("sr"))
    assert made.input.equal(MIXED)
    assert made.response.equal(NOISE)


def test_recognition_predicts_the_text_without_its_ends():
    task = make("stt")
    *_, target = task.segments(sample(task), level=0)
    assert target.ids.equal(TEXT[1:-1])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_the_samples_has_no_text(share):
    made = sample(make("ns", without_text=share))
    assert made.text.equal(torch.tensor([1, 2]) if share else TEXT)
