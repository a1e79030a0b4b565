import pytest

from vall_e.config.schema import PhonemizerChoice, TextConfig
from vall_e.errors import TextError
from vall_e.text.components import PHONEMIZERS, EspeakConfig, PassthroughConfig
from vall_e.text.front_end import FrontEnd
from vall_e.text.vocabulary import Vocabulary

ESPEAK, NONE = PHONEMIZERS


@pytest.fixture(scope="module")
def front_end():
    return FrontEnd.of(TextConfig(PhonemizerChoice(ESPEAK, EspeakConfig())))


def test_from_text_to_ids_and_back(front_end):
    phonemes = front_end.phonemes("Dr. Who has 2 hearts.", "en")
    assert phonemes == "dˈɑːktɚ hˌuː hɐz tˈuː hˈɑːɹts."
    assert front_end.vocabulary.decode(front_end.ids(phonemes)) == phonemes


def test_a_new_model_gets_the_alphabet_of_its_phonemizer(front_end):
    assert front_end.vocabulary == Vocabulary.of(front_end.phonemizer.alphabet())


def test_a_trained_model_keeps_its_vocabulary(caplog):
    config = TextConfig(PhonemizerChoice(NONE, PassthroughConfig()), normalize=False)
    front_end = FrontEnd.of(config, Vocabulary.of("abc"))
    encoded = front_end.encode(front_end.phonemes("a b", "en-us"))
    assert front_end.vocabulary.decode(encoded.ids) == "ab"
    assert encoded.unknown == {" ": 1}
    assert "left out ' '" in caplog.text


def test_composed_and_decomposed_phonemes_are_the_same(front_end):
    assert front_end.ids("ç") == front_end.ids("c\u0327")


def test_the_phonemizers_own_code_is_told(front_end):
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
