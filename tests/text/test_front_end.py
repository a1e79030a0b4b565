from collections import Counter

import pytest
from attrs import evolve, frozen

from vall_e.config.choices import NormalizerChoice, PhonemizerChoice
from vall_e.config.schema import TextConfig
from vall_e.errors import TextError
from vall_e.registry import Component
from vall_e.text.front_end import FrontEnd
from vall_e.text.normalizers.components import NORMALIZERS
from vall_e.text.normalizers.options import RulesConfig
from vall_e.text.phonemizers.components import PHONEMIZERS
from vall_e.text.phonemizers.options import EspeakConfig, PassthroughConfig
from vall_e.text.vocabulary import Vocabulary

ESPEAK, NONE = PHONEMIZERS
[RULES] = NORMALIZERS


def text_config(phonemizer, **options):
    return TextConfig(phonemizer, NormalizerChoice(RULES, RulesConfig()), **options)


@pytest.fixture(scope="module")
def front_end():
    return FrontEnd.of(text_config(PhonemizerChoice(ESPEAK, EspeakConfig())))


def test_from_text_to_ids_and_back(front_end):
    phonemes = front_end.phonemes("Dr. Who has 2 hearts.", "en")
    assert phonemes == "dˈɑːktɚ hˌuː hɐz tˈuː hˈɑːɹts."
    assert front_end.vocabulary.decode(front_end.ids(phonemes)) == phonemes


def test_a_new_model_gets_the_alphabet_of_its_phonemizer(front_end):
    assert front_end.vocabulary == Vocabulary.of(front_end.phonemizer.alphabet())


def test_a_trained_model_keeps_its_vocabulary(caplog):
    config = text_config(PhonemizerChoice(NONE, PassthroughConfig()), normalize=False)
    front_end = FrontEnd.of(config, Vocabulary.of("abc"))
    encoded = front_end.encode(front_end.phonemes("a b", "en-us"))
    assert front_end.vocabulary.decode(encoded.ids) == "ab"
    assert encoded.unknown == {" ": 1}
    assert "left out ' '" in caplog.text


def test_composed_and_decomposed_phonemes_are_the_same(front_end):
    assert front_end.ids("ç") == front_end.ids("c\u0327")


def test_the_phonemizers_own_code_is_reported(front_end):
    assert front_end.language("EN") == "en-us"
    assert "en-us" in front_end.languages


@pytest.mark.parametrize(
    ("text", "language", "says"),
    [
        ("", "en", "there is no text to say"),
        (" \n", "en", "there is no text to say"),
        ("...?", "en", r"there is nothing to say in '...\?'"),
        ("Hello", "klingon", "no language is called 'klingon'"),
    ],
)
def test_what_cannot_be_said_is_refused(front_end, text, language, says):
    with pytest.raises(TextError, match=says) as caught:
        front_end.phonemes(text, language)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "language", "lost"),
    [
        ("hello ① world", "en", {"①": 1}),
        ("✓ a < b ^ c ⇒ d ★★", "en", {"✓": 1, "<": 1, "^": 1, "⇒": 1, "★": 2}),
        ("₽ and †", "de", {"₽": 1, "†": 1}),
        ("the letter ሀ", "en", {"ሀ": 1}),
        ("Wörter ａ ﬁ", "de", {}),
        ("half \ud800 of one", "en", {"\ud800": 1}),
        ("private \ue000, none \u0378", "en", {"\ue000": 1, "\u0378": 1}),
        ("“Well” – (so) don’t; ½ & @ + 😀…", "en", {}),
        ("Привет, мир", "ru", {}),
        ("say да now", "en", {"д": 1, "а": 1}),
        ("say שם now", "de", {"ש": 1, "ם": 1}),
        ("π and Ω", "en", {}),
        ("ああ です", "ja", {}),
        ("naïve café, Łódź", "en", {}),
    ],
)
def test_what_is_not_spoken_is_counted(front_end, caplog, text, language, lost):
    phonemes, encoded = front_end.read(text, language)
    assert encoded.unknown == lost
    assert encoded.ids == front_end.ids(phonemes)
    assert ("nothing can be spoken" in caplog.text) == bool(lost)
    assert not any(char in phonemes for char in lost)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Ｈｅｌｌｏ ＡＢＣ", "Hello ABC"),
        ("ﬁsh", "fish"),
        ("Henry Ⅷ", "Henry VIII"),
        ("to\u200bday", "today"),
    ],
)
def test_letters_of_another_look_are_spoken(front_end, written, plain):
    assert front_end.read(written, "en") == front_end.read(plain, "en")


def test_markup_is_taken_off_only_if_the_text_is_normalized(front_end):
    assert front_end.without_markup("**so**") == "so"
    assert evolve(front_end, normalizer=None).without_markup("**so**") == "**so**"


def test_what_is_not_spoken_can_be_an_error(front_end):
    strict = evolve(front_end, unknown="error")
    with pytest.raises(TextError, match=r"nothing can be spoken for '★' \(U\+2605\) x 2") as caught:
        strict.phonemes("hello ★ world ★", "en")
    assert "text.unknown: warn" in caught.value.hint


def test_a_text_of_which_nothing_is_left_is_refused(front_end):
    with pytest.raises(TextError, match="there is nothing to say in '★'"):
        front_end.phonemes("★", "en")


def test_what_the_phonemizer_hands_on_is_the_vocabularys_to_refuse():
    config = text_config(PhonemizerChoice(NONE, PassthroughConfig()), normalize=False)
    _, encoded = FrontEnd.of(config).read("a ★", "en-us")
    assert encoded.unknown == Counter("★")


@frozen
class Nothing:
    """No options."""


class Shouts:
    languages = ("en",)

    def __call__(self, text, language):
        return text.upper()


def test_a_further_normalizer_gets_the_normalized_text():
    shouts = Component(name="shouts", config=Nothing, build=lambda _: Shouts(), summary="a test")
    spoken = PhonemizerChoice(NONE, PassthroughConfig())
    after = (NormalizerChoice(shouts, Nothing()),)
    front_end = FrontEnd.of(text_config(spoken, after_normalizer=after), Vocabulary.of("abc"))
    assert front_end.phonemes("I have 2.", "en-us") == "I HAVE TWO."
    assert set(front_end.normalizer.languages) == {*RULES.build(RulesConfig()).languages, "en"}
    plain = text_config(spoken, after_normalizer=after, normalize=False)
    assert FrontEnd.of(plain, Vocabulary.of("abc")).phonemes("I have 2.", "en-us") == "I have 2."
