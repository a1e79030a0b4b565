import time

import pytest

from vall_e.errors import TextError
from vall_e.text.normalizers.options import RulesConfig
from vall_e.text.normalizers.rules import RuleNormalizer

normalize = RuleNormalizer(RulesConfig())


def test_a_number_of_too_many_digits_is_refused():
    with pytest.raises(TextError, match="a number of 8000 digits is too long to be read") as caught:
        normalize("1" * 8000, "en-us")
    assert str(RulesConfig().max_digits) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("language", ["en-us", "sv"])
def test_one_of_as_many_as_that_is_read(language):
    normalize("1" * RulesConfig().max_digits, language)


@pytest.mark.parametrize("written", ["1,", "1-", "1.", "1 ", "1:", "1/", ",111", " 111"])
@pytest.mark.parametrize("language", ["en-us", "fr-fr"])
def test_many_numbers_are_read_in_a_time_that_grows_with_them(written, language):
    normalize("1", language)
    start = time.process_time()
    normalize("1" + written * 3000, language)
    assert time.process_time() - start < 4  # quadratic: 15 s and more


@pytest.mark.parametrize("tail", ["", " people", ".5", " km"])
def test_long_numbers_keep_their_decimals(tail):
    assert normalize("3." + "14" * 25, "en-us").startswith("three point one four one four")
    said = normalize("1" + ",234" * 15 + tail, "en-us")
    assert said.startswith("one two three four")
    assert not any(char.isdigit() for char in said)
