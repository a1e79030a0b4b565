import pytest

from vall_e.interfaces.judge import Case, Evidence
from vall_e.testing import JudgeContract
from vall_e_judges.options import RecognitionJudgeConfig
from vall_e_judges.recognition import RecognitionJudge

pytest.importorskip("pocketsphinx")
pytestmark = pytest.mark.slow

OTHERS = (
    "The birch canoe slid on the smooth planks.",
    "Glue the sheet to the dark blue background.",
    "Rice is often served in round bowls.",
)


@pytest.fixture(scope="module")
def general():
    """Made once, as the other one: it takes seconds to load what the recognizer knows."""
    return RecognitionJudge(RecognitionJudgeConfig(), Case(("one two", "three four")))


class TestRecognition(JudgeContract):
    figures = ("open_wer", "closed_wer", "forced_choice")

    @pytest.fixture
    def judge(self, general):
        return general


@pytest.fixture(scope="module")
def judge(spoken):
    texts = tuple(text for _, text in spoken.values())
    return RecognitionJudge(RecognitionJudgeConfig(among=5), Case((*texts, *OTHERS)))


def test_the_text_that_was_said_is_recognized(judge, spoken):
    clip, text = spoken["a0031"]
    verdict = judge(Evidence(clip, text=text))
    assert verdict.scores["forced_choice"].value == 1.0
    assert verdict.scores["closed_wer"].value == 0.0
    assert verdict.scores["open_wer"].weight == len(text.split())
    assert verdict.scores["open_wer"].value < 0.5


def test_another_text_is_not(judge, spoken):
    clip, _ = spoken["a0031"]
    scores = judge(Evidence(clip, text=OTHERS[0])).scores
    assert scores["forced_choice"].value == 0.0
    assert scores["closed_wer"].value > 0.5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Qwertyuiop is no word.", "does not know the word 'qwertyuiop'"),
        ("The sea is calm.", "not among the candidates"),
    ],
)
def test_what_is_not_a_candidate_has_the_open_figure_only(judge, spoken, text, reason):
    scores = judge(Evidence(spoken["a0031"][0], text=text)).scores
    assert scores["open_wer"].value is not None
    assert reason in scores["closed_wer"].reason
    assert reason in scores["forced_choice"].reason


def test_few_candidates_are_remarked_on(judge, general):
    assert judge.remarks == ()
    assert "had only 2 candidate sentences, not 50" in general.remarks[0]


def test_others_of_a_choice_follow_from_the_seed(judge, spoken):
    clip, text = spoken["a0054"]
    assert judge(Evidence(clip, text=text)) == judge(Evidence(clip, text=text))
