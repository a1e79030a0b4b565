"""Slashes and signs between figures, as a listener expects them."""

import pytest

from vall_e.text.normalizers.options import RulesConfig
from vall_e.text.normalizers.rules import RuleNormalizer

normalize = RuleNormalizer(RulesConfig())

SPOKEN = {
    # a division, or more than a whole
    "10/2 = 5": "ten divided by two equals five",
    "1/2 + 1/4 = 3/4": "one half plus one quarter equals three quarters",
    "3/2 and 22/7": "three halves and twenty-two seven",
    "24/7, 50/50, on 9/11": "twenty-four seven, fifty fifty, on nine eleven",
    "in 6/8 time on 5/4": "in six eight time on five four",
    # a place in a row, or marks
    "Page 5/6, part 1/3": "Page five of six, part one of three",
    "pages 5/6, 2/3 of page 7": "pages five and six, two thirds of page seven",
    "4/5 stars, scored 5/9": "four out of five stars, scored five out of nine",
    "rated it 10/10, 8/10": "rated it ten out of ten, eight out of ten",
    "7/10 of it, got 3/4 cup": "seven tenths of it, got three quarters cup",
    "7/10 mile, 7/10 cup of milk": "seven tenths mile, seven tenths cup of milk",
    "I got 1/8 off, got 3/8 cup": "I got one eighth off, got three eighths cup",
    "I got 7/9, 8/10 points": "I got seven out of nine, eight out of ten points",
    # a part of a unit
    "3/4 in. wide": "three quarters of an inch wide",
    "a 3/4 in. bolt": "a three-quarter inch bolt",
    "It is 3/4 in. It fits.": "It is three quarters of an inch. It fits.",
    "1/2 in the box, 1/4 mi": "one half in the box, one quarter mile",
    "2 1/2 in. long, 3/4 lb": "two and a half inches long, three quarters of a pound",
    "22/7 km, a 3/2 inch bolt": "twenty-two seven kilometers, a three-half inch bolt",
    "from 3/2 to 5/2": "from three halves to five halves",
    "after 5/4 hours, from 9/9": "after five quarters hours, from nine nine",
    "a 2 1/2 inch pipe": "a two and a half inch pipe",
    "2 x 4 inch, a 4 inch pipe": "two by four inch, a four inch pipe",
    # signs
    "5*3, 3*4*5": "five times three, three times four times five",
    "5 x 3, 6x7=42": "five times three, six times seven equals forty-two",
    "2x4, 8 1/2 x 11": "two by four, eight and a half by eleven",
    "2.5 x 4 = 10": "two point five times four equals ten",
    "5 x 3 feet": "five by three feet",
    "10^-3, x^2": "ten to the power of minus three, x to the power of two",
    "-1/2": "minus one half",
    # a number that counts no day
    "room 12 May be free": "room twelve May be free",
    "Flight 12 March 3": "Flight twelve March third",
    "12 May, 3 March 2020": "twelfth May, third March twenty twenty",
}


@pytest.mark.parametrize("written", SPOKEN)
def test_figures_are_joined_as_a_listener_expects(written):
    assert normalize(written, "en-us") == SPOKEN[written]
