import random
from pathlib import Path

import pytest
import torch

from vall_e.config.load import load
from vall_e.tasks.components import TASKS
from vall_e.testing.contracts.task import (
    CODES,
    MIXED,
    NOISE,
    PROMPT,
    SPELLING,
    TEXT,
    FixedSource,
    TaskContract,
)

BY_NAME = {component.name: component for component in TASKS}


def make(name, **options):
    component = BY_NAME[name]
    return component.build(component.config(**options))


class TestContinued(TaskContract):
    def make(self):
        return make("tts-c")


class TestLength(TaskContract):
    def make(self):
        return make("len")


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


class TestEditing(TaskContract):
    keeps = True

    def make(self):
        return make("cse")


class TestNoisyEditing(TaskContract):
    keeps = True

    def make(self):
        return make("nse")


class TestPhonemes(TaskContract):
    def make(self):
        return make("phn")


class TestSpelling(TaskContract):
    def make(self):
        return make("un-phn")


def sample(task):
    return task.sample(
        text=TEXT, language=0, codes=CODES, source=FixedSource(), rng=random.Random(0)
    )


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("len", "text language level prompt length"),
        ("tts-c", "text language level prompt tts-c response"),
        ("ns", "text language level ns input response"),
        ("sr", "text language level sr input response"),
        ("tse", "text language level prompt tse input response"),
        ("vc", "language level prompt vc input response"),
        ("stt", "stt input language level text"),
        ("cse", "text language level input soe mask eoe input response"),
        ("nse", "text language level input soe input eoe input response"),
        ("phn", "phn read language level text"),
        ("un-phn", "un-phn read language level text"),
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


@pytest.mark.parametrize(
    ("name", "main", "other", "decibels"),
    [
        ("ns", CODES, NOISE[:, :6], 3.0),
        ("sr", NOISE[:, :6], CODES, -3.0),
        ("tse", CODES, PROMPT + 300, 3.0),
        ("nse", torch.cat([PROMPT, CODES, PROMPT, PROMPT], 1), NOISE.repeat(1, 9)[:, :15], 3.0),
    ],
)
def test_speech_is_louder_by_the_given_decibels_than_what_is_mixed_into_it(
    name, main, other, decibels
):
    """What is to be written stays as loud as it is."""
    calls = []

    class Listening(FixedSource):
        def mixed(self, main, other, *, decibels):
            calls.append((main.tolist(), other.tolist(), decibels))
            return super().mixed(main, other, decibels=decibels)

    options = {"only_one_side": 0.0} if name == "nse" else {}
    make(name, decibels=(3.0, 3.0), **options).sample(
        text=TEXT, language=0, codes=CODES, source=Listening(), rng=random.Random(0)
    )
    assert calls == [(main.tolist(), other.tolist(), decibels)]


def test_without_a_prompt_the_text_stays_to_say_who_is_meant():
    class Nobody(FixedSource):
        def prompt(self, rng):
            return None

    task = make("tse", without_text=1.0)
    given = {"text": TEXT, "language": 0, "codes": CODES, "rng": random.Random(0)}
    assert task.sample(source=Nobody(), **given).text.equal(TEXT)
    assert task.sample(source=FixedSource(), **given).text.tolist() == [1, 2]


def test_recognition_predicts_the_text_without_its_ends():
    task = make("stt")
    *_, target = task.segments(sample(task), level=0)
    assert target.ids.equal(TEXT[1:-1])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_the_samples_has_no_text(share):
    made = sample(make("ns", without_text=share))
    assert made.text.equal(torch.tensor([1, 2]) if share else TEXT)


def test_a_part_is_generated_again_and_the_rest_stays():
    made = sample(make("cse", only_one_side=0.0))
    start, stop = made.edit
    assert made.text.tolist() == [1, *3 * TEXT[1:-1].tolist(), 2]
    assert made.input.equal(torch.cat([PROMPT] * 3, 1))
    assert made.response.equal(torch.cat([PROMPT, CODES, PROMPT], 1))
    assert (start, stop) == (3, 6)


def test_what_was_said_before_is_hidden_from_the_clean_edit():
    task = make("cse", only_one_side=0.0)
    heard = [s for s in task.segments(sample(task), level=0) if s.name == "input"]
    assert sum(map(len, heard)) == 2 * PROMPT.shape[1]


def test_where_nothing_else_is_known_of_a_speaker_all_is_generated_again():
    class Alone(FixedSource):
        def neighbour(self, rng):
            return None

    given = {"text": TEXT, "language": 0, "codes": CODES, "rng": random.Random(0)}
    made = make("cse").sample(source=Alone(), **given)
    assert (made.edit, made.input.shape[1]) == ((0, 0), 0)
    assert made.response.equal(CODES)


@pytest.mark.parametrize("name", ["cse", "nse"])
def test_the_edit_is_sometimes_at_one_end(name):
    task = make(name, only_one_side=1.0)
    edits = {
        task.sample(
            text=TEXT, language=0, codes=CODES, source=FixedSource(), rng=random.Random(seed)
        ).edit
        for seed in range(9)
    }
    assert edits == {(0, 3), (3, 6)}


def test_the_noise_of_an_edit_is_that_of_the_recording():
    made = sample(make("nse", only_one_side=0.0))
    start, stop = made.edit
    assert made.response[:, :start].equal(made.input[:, :start])
    assert made.response[:, -3:].equal(made.input[:, stop:])
    assert not set(made.response.flatten().tolist()) & set(PROMPT.flatten().tolist())


@pytest.mark.parametrize(
    ("name", "read", "written"), [("phn", SPELLING, TEXT), ("un-phn", TEXT, SPELLING)]
)
def test_a_text_is_read_and_another_written(name, read, written):
    task = make(name)
    _, source, *_, target = task.segments(sample(task), level=0)
    assert source.ids.equal(read)
    assert target.ids.equal(written[1:-1])


def test_the_config_of_every_task_is_right(registry):
    """All but voice conversion, which asks for sentences that several speakers say."""
    path = Path(__file__).parents[2] / "examples" / "configs" / "every-task.yaml"
    config = load(path, registry)
    tasks = [choice.build() for choice in config.tasks]
    assert {task.name for task in tasks} >= BY_NAME.keys() - {"vc", "len"}
    assert config.data.noise
