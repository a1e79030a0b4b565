"""Fractions, and the signs between figures, as English speaks them."""

from __future__ import annotations

import unicodedata

FRACTION = r"(?<![\w/.,])(?:(?P<w>\d{1,3})\s)?(?P<n>\d+)/(?P<d>\d+)(?![\w/]|[.,]\d)"
"""`3/4`, `2 1/2`; not a date, and not a part of a path."""
FRACTION_BAR = "\N{FRACTION SLASH}"

ENGLISH_PARTS = {
    2: ("half", "halves"), 3: ("third", "thirds"), 4: ("quarter", "quarters"),
    5: ("fifth", "fifths"), 6: ("sixth", "sixths"), 7: ("seventh", "sevenths"),
    8: ("eighth", "eighths"), 9: ("ninth", "ninths"), 10: ("tenth", "tenths"),
    12: ("twelfth", "twelfths"), 16: ("sixteenth", "sixteenths"),
    20: ("twentieth", "twentieths"), 32: ("thirty-second", "thirty-seconds"),
    64: ("sixty-fourth", "sixty-fourths"), 100: ("hundredth", "hundredths"),
}  # fmt: skip
"""One part and more of it, by the number below the bar. Others are no fractions: 9/11."""

_NUMBER = r"[-−+]?[.,]?\d"
ENGLISH_SIGNS = (
    (r"(?<=\d)[x×](?=\d)", " by "),  # 1920x1080
    (r"(?<=\d)\s[x×*]\s(?=\d)", " times "),
    (r"(?:(?<=\d m)|(?<=\d cm)|(?<=\d mm)|(?<=\d ft)) [x×] (?=\d)", " by "),
    (r"(?:(?<=\d m)|(?<=\d km)|(?<=\d cm)|(?<=\dm)|(?<=\dkm)|(?<=\dcm))\^?2\b", "²"),
    (r"(?:(?<=\d m)|(?<=\d cm)|(?<=\dm)|(?<=\dcm))\^?3\b", "³"),
    (r"(?<=\d)x(?=\s[a-z])", " times"),  # 3x faster
    (r"(?<=\d)\s[-−–]\s(?=\d[\d.,]*\s?=)", " minus "),
    (rf"(?<=[\w%²³°)])\s?=\s?(?={_NUMBER}|[$€£]\d|[a-z]\b)", " equals "),
    (r"(?<=\d)\s?−\s?(?=\d)", " minus "),
    (r"(?<=\d)\s?\+\s?(?=\d)", " plus "),
    (r"(?<![\w+])\+(?=\d)(?!\d+(?:[-–]\d+){2})", "plus "),  # not before a telephone number
    (r"(?<=\d)(?:\s?÷\s?| / )(?=\d)", " divided by "),
    (rf"(?<=[\w%])\s?<\s?(?={_NUMBER})", " is less than "),
    (rf"(?<=[\w%])\s?>\s?(?={_NUMBER})", " is greater than "),
    (r"(?<!\w)[~≈]\s?(?=[$€£]?\d)", "about "),
    (r"(?<=\d)\^(?=\d)", " to the power of "),
    (r"(?<=\d)['’](?=\d{1,2}[\"”])", " foot "),  # 6'2"
    (r"(?<=\d)\s?in\.?(?= (?:wide|long|tall|high|deep|thick)\b)", " inches"),
    (r"(?<=\d):(?=\d(?!\d))", " to "),  # 2:1; a time has two figures there
    (r"(?<=\d)\s?dB\b", " decibels"),
    (r"(?<=\d)\s?Mbps\b", " megabits per second"),
    (r"(?<=\d)\s?Gbps\b", " gigabits per second"),
    (r"(?<=\d)\s?[aA][mM]\b", " AM"),
    (r"(?<=\d)\s?[pP][mM]\b", " PM"),
)
"""Patterns, and what is said for them."""

ENGLISH_UNITS = {
    "mi": "length-mile", "yd": "length-yard", "yds": "length-yard", "s": "duration-second",
    "sec": "duration-second", "secs": "duration-second", "mins": "duration-minute",
    "tbsp": "volume-tablespoon", "tsp": "volume-teaspoon", "gal": "volume-gallon",
    "qt": "volume-quart", "pt": "volume-pint", "fl oz": "volume-fluid-ounce",
    "sq ft": "area-square-foot", "ppm": "concentr-permillion", "hp": "power-horsepower",
}  # fmt: skip
"""Which mean something else in other languages, or nothing."""


def with_slashes(text: str) -> str:
    """The text with `½` as `1/2`, and `2½` as `2 1/2`."""
    for char in {char for char in text if unicodedata.decomposition(char).startswith("<fraction>")}:
        figures = unicodedata.normalize("NFKC", char).replace(FRACTION_BAR, "/")
        for digit in "0123456789":
            text = text.replace(digit + char, f"{digit} {figures}")
        text = text.replace(char, figures)
    return text.replace(FRACTION_BAR, "/")


def english_fraction(count: str, above: int, below: int, *, after_whole: bool) -> str | None:
    """`three quarters`, `and a half` after a whole number; none if it is not said as a fraction.

    `count` is the number above the bar in words.
    """
    if below not in ENGLISH_PARTS or not 0 < above < below:
        return None
    one, many = ENGLISH_PARTS[below]
    if not after_whole:
        return f"{count} {one if above == 1 else many}"
    article = "an" if one[0] in "aeiou" else "a"
    return f"and {article} {one}" if above == 1 else f"and {count} {many}"
