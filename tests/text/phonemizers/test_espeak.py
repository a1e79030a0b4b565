import logging
import sys
from pathlib import Path

import pytest

from vall_e.errors import TextError, UnavailableError
from vall_e.testing.contracts.phonemizer import PhonemizerContract
from vall_e.text.phonemizers.espeak import Espeak
from vall_e.text.phonemizers.options import EspeakConfig


class TestEspeak(PhonemizerContract):
    def make(self):
        return Espeak(EspeakConfig())


class TestEspeakInGerman(TestEspeak):
    language = "de"
    text = "Guten Tag, wie geht es?"


def test_stress_and_punctuation_are_kept(espeak):
    assert espeak("Hello, world!", "en") == "həlˈoʊ, wˈɜːld!"


def test_language_switches_are_removed(espeak):
    assert "(" not in espeak("J'aime le football (vraiment).", "fr")


@pytest.mark.parametrize("language", ["en-us", "en-gb", "de", "fr-fr", "ja", "sv", "es", "cmn"])
def test_languages_are_there(espeak, language):
    assert language in espeak.languages


def test_every_language_speaks(espeak):
    assert len(espeak.languages) > 100
    assert all(espeak("a", code) for code in espeak.languages)


def test_languages_take_turns(espeak):
    german = espeak("Guten Tag", "de")
    espeak("Good day", "en-us")
    assert espeak("Guten Tag", "de") == german


def test_kana_is_read_and_kanji_refused(espeak):
    assert espeak("こんにちは。", "ja").endswith(".")
    with pytest.raises(TextError, match="espeak cannot read '元気' as ja") as caught:
        espeak("元気ですか", "ja")
    assert "kana" in caught.value.hint


def test_pykakasi_must_be_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "pykakasi", None)
    with pytest.raises(UnavailableError, match="needs the package of that name") as caught:
        Espeak(EspeakConfig(kanji="pykakasi"))
    assert caught.value.hint == "pip install pykakasi"


def test_chinese_letters_are_refused_in_english(espeak):
    with pytest.raises(TextError, match="espeak cannot read '北京' as en-us"):
        espeak("I live in 北京.", "en")


def test_instances_do_not_share_the_library_path(espeak):
    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    assert EspeakWrapper._ESPEAK_LIBRARY is None


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (EspeakConfig(library=Path("/no/such/lib.so")), "/no/such/lib.so does not exist"),
        (EspeakConfig(data=Path("/no/data")), "/no/data does not exist"),
        (EspeakConfig(library=Path(__file__)), "cannot be loaded"),
    ],
)
def test_a_wrong_library_is_reported(config, says):
    with pytest.raises(UnavailableError, match=says) as caught:
        Espeak(config)
    assert "text.phonemizer.library" in caught.value.hint


def test_the_library_can_be_chosen():
    import espeakng_loader

    config = EspeakConfig(
        Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    )
    assert Espeak(config)("one", "en") == "wˌʌn"


def test_nothing_is_logged(espeak, caplog):
    with caplog.at_level(logging.DEBUG):
        espeak("J'aime le football.", "fr")
    assert not caplog.records
