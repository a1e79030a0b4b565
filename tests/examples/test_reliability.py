import json
from pathlib import Path
from types import SimpleNamespace

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
def test_a_failure_is_reported_by_its_length(seconds, ended, fault):
    assert spoken(seconds, ended=ended).fault(0.1) == fault


def test_the_pace_is_that_of_the_voice():
    usual = [spoken(5.0 + i / 10) for i in range(5)]
    report = reliability.judge([*usual, spoken(20.0)])
    assert report.seconds_per_symbol == pytest.approx(0.105)
    assert report.failures == {"too long": ["one two three four five"]}
    assert report.failed == 1
    assert json.dumps(report.failures)


class Voice:
    """Says everything at one pace, and counts how often it is asked."""

    identity = {"model": {"sha256": "1"}}  # noqa: RUF012

    def __init__(self):
        self.asked = []

    def synthesize(self, text, *, voice, seed):
        self.asked.append((text, seed))
        codes = SimpleNamespace(seconds=0.1 * len(text))
        sentence = SimpleNamespace(phonemes=text, codes=codes, ended=True)
        return SimpleNamespace(sentences=[sentence])


def test_a_run_that_was_stopped_continues(tmp_path):
    texts, path = ["one", "two", "three"], tmp_path / "log.json"
    log = reliability.Log(path, reliability.digest(Voice(), None))
    whole = reliability.speak(Voice(), texts, voice=None, seed=5, log=reliability.Log(None, ""))
    reliability.speak(Voice(), texts[:2], voice=None, seed=5, log=log)
    again = Voice()
    assert reliability.speak(again, texts, voice=None, seed=5, log=log) == whole
    assert again.asked == [("three", 7)]


def test_other_weights_and_other_seeds_are_spoken_again(tmp_path):
    other = Voice()
    other.identity = {"model": {"sha256": "2"}}
    digests = [reliability.digest(Voice(), None), reliability.digest(other, None)]
    assert len({*digests, reliability.digest(Voice(), "linda")}) == 3
    log = reliability.Log(tmp_path / "log.json", digests[0])
    log.add(spoken(1.0), 5)
    assert log.find(spoken(1.0).text, 5) == spoken(1.0)
    assert log.find(spoken(1.0).text, 6) is None
    assert reliability.Log(log.path, digests[1]).find(spoken(1.0).text, 5) is None


def test_each_sentence_is_reported_with_its_fault(capsys):
    reliability._tell([spoken(5.0), spoken(5.0), spoken(20.0)])
    assert "too long" in capsys.readouterr().err
    reliability._tell([spoken(5.0)])
    assert " ok " in capsys.readouterr().err
