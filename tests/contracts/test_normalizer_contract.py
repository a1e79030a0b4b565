"""The contract of normalizers refuses what only looks like one."""

import pytest

from vall_e.registry import Component
from vall_e.testing import NormalizerContract, contract_of
from vall_e.text.normalizers.components import NORMALIZERS
from vall_e.text.normalizers.options import RulesConfig
from vall_e.text.normalizers.rules import RuleNormalizer

[RULES] = NORMALIZERS


class TestRules(contract_of("normalizer", RULES)):
    pass


class TestGermanRules(NormalizerContract):
    language = "de"
    text = "Sind 5 da? Nein, 12 kamen am 3. Mai 2020!"
    words = "Hallo Welt! Ist das ein Test?"

    def make(self):
        return RuleNormalizer(RulesConfig())

    def test_every_sentence_keeps_its_end(self):
        pytest.skip("the dot of an ordinal is no end")


class Broken(RuleNormalizer):
    def __init__(self):
        super().__init__(RulesConfig())


class LeavesFigures(Broken):
    def __call__(self, text, language):
        return text


class ShoutsWords(Broken):
    def __call__(self, text, language):
        return super().__call__(text, language).upper()


class AddsMore(Broken):
    def __call__(self, text, language):
        return super().__call__(text, language).replace(" on ", " on on ")


class DropsEnds(Broken):
    def __call__(self, text, language):
        return super().__call__(text, language).replace("!", ".")


class DropsPrivateUse(Broken):
    def __call__(self, text, language):
        return "".join(char for char in super().__call__(text, language) if ord(char) < 0xE000)


class Counts(Broken):
    calls = 0

    def __call__(self, text, language):
        self.calls += 1
        return super().__call__(text, language) + "x" * (self.calls > 2)


class SaysNothingAloud(Broken):
    def __call__(self, text, language):
        return super().__call__(text, language) if text.strip() else "nothing"


class KnowsEveryLanguage(Broken):
    def __call__(self, text, language):
        return super().__call__(text, "en-us")


class NamesNoCodes(Broken):
    languages = ("English",)


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (LeavesFigures, "test_no_figure_is_left"),
        (ShoutsWords, "test_words_stay_as_they_are"),
        (AddsMore, "test_what_it_wrote_stays_as_it_is"),
        (DropsEnds, "test_every_sentence_keeps_its_end"),
        (DropsPrivateUse, "test_given_pronunciations_stay_in_their_places"),
        (Counts, "test_the_same_text_gives_the_same_words"),
        (SaysNothingAloud, "test_no_text_gives_no_words"),
        (KnowsEveryLanguage, "test_a_language_that_it_does_not_know_stays_as_it_is"),
        (NamesNoCodes, "test_its_languages_are_codes"),
    ],
)
def test_a_broken_normalizer_is_refused(judge, broken, refused_by):
    assert refused_by in judge(NormalizerContract, broken, only=refused_by).failed


def test_it_is_a_component():
    assert isinstance(RULES, Component)
