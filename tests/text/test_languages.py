import pytest

from vall_e.errors import TextError
from vall_e.text.languages import among, resolve, resolve_spoken

KNOWN = ("cmn", "de", "en-gb", "en-us", "fr-fr", "nb", "pt", "pt-br", "chr-US-Qaaa-x-west")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("en", "en-us"),
        ("EN_gb", "en-gb"),
        ("fr", "fr-fr"),
        ("fr-CA", "fr-fr"),
        ("de-AT", "de"),
        ("no", "nb"),
        ("zh-TW", "cmn"),
        ("pt-BR", "pt-br"),
        ("chr-us-qaaa-x-west", "chr-US-Qaaa-x-west"),
    ],
)
def test_a_language_can_be_written_in_several_ways(written, code):
    assert resolve(written, KNOWN) == code


@pytest.mark.parametrize(
    ("written", "hint"), [("en-uss", "did you mean 'en-us'?"), ("xx", "known: chr-US-Qaaa-x-west")]
)
def test_an_unknown_language_names_the_nearest(written, hint):
    with pytest.raises(TextError, match=f"no language is called '{written}'") as caught:
        resolve(written, KNOWN)
    assert caught.value.hint.startswith(hint)


def test_where_every_code_is_accepted_it_is_only_spelt_alike():
    assert resolve("Tlh_Latn", ()) == "tlh-latn"
    with pytest.raises(TextError):
        resolve(" ", ())


def test_a_language_that_a_model_was_not_taught_is_refused_with_those_that_it_was():
    assert resolve_spoken("en", ["en-us", "de"]) == "en-us"
    with pytest.raises(TextError, match="this model does not speak 'fr'") as caught:
        resolve_spoken("fr", ["en-us", "de"])
    assert "it speaks en-us, de" in caught.value.hint


@pytest.mark.parametrize(
    ("written", "languages", "meant"),
    [
        ("en", ["en-gb", "en-us"], "en-gb"),
        ("en", ["en-us", "en"], "en"),
        ("EN_GB", ["en-us", "en-gb"], "en-gb"),
        ("en-gb", ["en-us"], None),
        ("en-gb", ["en"], None),
        ("en-AU", ["fr-fr", "en-us"], "en-us"),
        ("fr-CA", ["fr-fr"], "fr-fr"),
        ("zh-TW", ["cmn"], "cmn"),
        ("pt-PT", ["pt-br"], None),
        ("de-AT", ["de"], "de"),
        ("zh-CN", ["en-us", "cmn"], "cmn"),
        ("pt-BR", ["pt"], None),
        ("tlh", ["en-us"], None),
    ],
)
def test_a_known_variety_is_never_taken_for_another(written, languages, meant):
    assert among(written, languages, KNOWN) == meant


def test_where_every_code_is_known_none_is_another():
    assert among("en", ["de"]) is None
