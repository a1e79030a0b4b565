import pytest

from vall_e.text.normalizers.options import RulesConfig
from vall_e.text.normalizers.rules import RuleNormalizer
from vall_e.text.roman import value, with_figures

normalize = RuleNormalizer(RulesConfig())


@pytest.mark.parametrize(
    ("numeral", "number"), [("I", 1), ("IV", 4), ("VIII", 8), ("IX", 9), ("XIV", 14), ("XXXIX", 39)]
)
def test_a_numeral_has_its_value(numeral, number):
    assert value(numeral) == number


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("World War II ended", "World War two ended"),
        ("World War I, Chapter IV.", "World War one, Chapter four."),
        ("Mark I know; the Book I read", "Mark I know; the Book I read"),
        ("Book I of a Mark II", "Book one of a Mark two"),
        ("Henry VIII and Louis XIV", "Henry the eighth and Louis the fourteenth"),
        ("Elizabeth II's reign", "Elizabeth the second's reign"),
        ("Charles I of England", "Charles the first of England"),
        ("the Pope, John Paul II.", "the Pope, John Paul the second."),
    ],
)
def test_english_numerals_are_spoken(written, spoken):
    assert normalize(written, "en-us") == spoken


@pytest.mark.parametrize(
    "text", ["Mary I met in May.", "I think so.", "an IV drip", "Malcolm X", "vitamin C", "Part of"]
)
def test_what_may_be_a_word_is_left_alone(text):
    assert with_figures(text) == text
