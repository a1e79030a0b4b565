import pytest

from vall_e.plugin import TextError
from vall_e.testing import contract_of
from vall_e_normalizer_nemo.components import vall_e_register_normalizers
from vall_e_normalizer_nemo.nemo import Nemo
from vall_e_normalizer_nemo.options import NemoConfig

pytest.importorskip("kitten_text_processing")
[NEMO] = vall_e_register_normalizers()


@pytest.mark.slow
class TestNemo(contract_of("normalizer", NEMO)):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("en-us", "at 10:05 for $5", "at ten o five for five dollars"),
        ("en-gb", "12 of them", "twelve of them"),
        ("de", "12 Äpfel", "zwölf Äpfel"),
        ("sv", "3 hundar", "tre hundar"),
        ("xx", "3 words", "3 words"),
    ],
)
def test_its_grammars_speak(language, written, spoken):
    assert Nemo(NemoConfig())(written, language) == spoken


class NoPath:
    def normalize(self, text, punct_post_process):
        raise ValueError("No accepting path")


def test_what_a_grammar_rejects_is_refused_or_kept():
    strict, lenient = Nemo(NemoConfig()), Nemo(NemoConfig(rejected="keep"))
    for nemo in (strict, lenient):
        nemo._grammars["en"] = NoPath()
    with pytest.raises(TextError, match="cannot read '5'") as caught:
        strict("5", "en-us")
    assert "rejected: keep" in caught.value.hint
    assert lenient("5", "en-us") == "5"
