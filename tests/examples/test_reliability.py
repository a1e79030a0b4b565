import json
from pathlib import Path

import pytest
import reliability

SENTENCES = Path(__file__).parents[2] / "examples" / "embedded" / "reliability.txt"


def test_two_hundred_different_sentences_of_1_to_40_words():
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()
    words = [len(line.split()) for line in lines]
    assert len(set(lines)) == len(lines) == 200
    assert (min(words), max(words) <= 40, max(words) >= 35) == (1, True, True)
    assert sum(line.endswith("?") for line in lines) >= 10


def spoken(seconds, *, ended=True, symbols=50):
    return reliability.Spoken("one two three four five", symbols, seconds, ended)


@pytest.mark.parametrize(
    ("seconds", "ended", "fault"),
    [
        (5.0, True, ""),
        (3.1, True, ""),
        (8.4, True, ""),
        (5.0, False, "ran to the limit"),
        (0.0, True, "empty"),
        (2.9, True, "too short"),
        (8.6, True, "too long"),
    ],
)
def test_a_failure_is_told_by_its_length(seconds, ended, fault):
    assert spoken(seconds, ended=ended).fault(0.1) == fault


def test_the_pace_is_that_of_the_voice():
    usual = [spoken(5.0 + i / 10) for i in range(5)]
    report = reliability.judge([*usual, spoken(20.0)])
    assert report.seconds_per_symbol == pytest.approx(0.105)
    assert report.failures == {"too long": ["one two three four five"]}
    assert report.failed == 1
    assert json.dumps(report.failures)
