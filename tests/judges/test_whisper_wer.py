"""The judge whisper, with something that hears what it is told to."""

import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.errors import UnavailableError
from vall_e.interfaces.judge import Evidence
from vall_e.testing import JudgeContract
from vall_e_judges.options import WhisperJudgeConfig
from vall_e_judges.whisper_wer import WhisperWer, open_judge


def said(text):
    """A judge that hears this, and normalises by small letters without full stops."""
    return WhisperWer(
        lambda samples: text if len(samples) else "", lambda x: x.lower().replace(".", ""), {}
    )


class TestWhisper(JudgeContract):
    figures = ("whisper_wer",)

    def make(self, case):
        return said("The birch canoe.")


def clip(seconds=1.0):
    return Clip(np.zeros(round(16_000 * seconds), np.float32), 16_000)


def test_errors_are_counted_for_words_of_the_normalised_text():
    score = said("the BIRCH canoes.")(Evidence(clip(), text="The birch canoe.")).scores
    assert (score["whisper_wer"].value, score["whisper_wer"].weight) == (pytest.approx(1 / 3), 3)


def test_the_recognized_text_is_in_the_notes():
    verdict = said("The birch canoe.")(Evidence(clip(), text="Glue."))
    assert verdict.notes == {"heard by Whisper": "The birch canoe."}


def test_in_a_moment_nothing_is_recognized():
    score = said("Thank you.")(Evidence(clip(0.1), text="The birch canoe.")).scores["whisper_wer"]
    assert (score.value, score.weight) == (1.0, 3)


def test_without_a_text_there_is_a_reason():
    assert said("Hello.")(Evidence(clip())).scores["whisper_wer"].value is None


def test_without_weights_it_says_what_to_do(tmp_path):
    for folder, message in ((None, "needs a folder of weights"), (tmp_path, "there is no file")):
        with pytest.raises(UnavailableError, match=message) as caught:
            open_judge(WhisperJudgeConfig(folder))
        assert "docs/evaluation.md" in caught.value.hint
