"""The signs between figures, as English speaks them."""

from __future__ import annotations

_NUMBER = r"[-−+]?[.,]?\d"
_LONG = r"(?:inch(?:es)?|in\.|feet|foot|ft|yards?|meters?|metres?|miles?)"
ENGLISH_SIGNS = (
    (r"(?<=\d)[x×](?=\d+(?:\.\d+)?\s?=)", " times "),  # 6x7=42
    (r"(?<=\d)[x×](?=\d)", " by "),  # 1920x1080
    (rf"(?<=\d)\s[x×]\s(?=\d+(?:\.\d+)?[\s-]{_LONG}(?!\w))", " by "),
    (
        r"(?:(?<=\d\.\d)|(?<=\d \d/\d))\s[x×]\s(?=\d+(?:\.\d+)?(?![\d\s]*=))",  # 8.5 x 11
        " by ",
    ),
    (r"(?<=\d)(?:\s[x×]\s|\s?\*\s?)(?=\d)", " times "),
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
    (r"(?<![\w.,%°)/])[-−](?=\d+/\d)", "minus "),
    (r"(?:(?<=/\d)|(?<=/\d\d))\s?in(?:\.(?=\s+[^A-Z\s])|(?=\.\s*$|\.\s+[A-Z]))", " inches"),
    (r"(?<=\d)['’](?=\d{1,2}[\"”])", " foot "),  # 6'2"
    (r"(?<=\d)\s?in\.?(?= (?:wide|long|tall|high|deep|thick|of (?:rain|snow))\b)", " inches"),
    (r"(?<=\d):(?=\d(?!\d))", " to "),  # 2:1; a time has two figures there
    (r"(?<=\d)\s?dB\b", " decibels"),
    (r"(?<![\d.,])1\s?[mM]bps\b", "1 megabit per second"),
    (r"(?<=\d)\s?[mM]bps\b", " megabits per second"),
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
    "sq ft": "area-square-foot",
    "KG": "mass-kilogram", "kgs": "mass-kilogram", "wk": "duration-week", "wks": "duration-week",
    "mo": "duration-month", "mos": "duration-month", "yr": "duration-year",
    "yrs": "duration-year",

    "sq. ft": "area-square-foot", "sq in": "area-square-inch", "sq. in": "area-square-inch",
    "sq mi": "area-square-mile", "sq. mi": "area-square-mile", "sq yd": "area-square-yard",
    "sq. yd": "area-square-yard", "sq m": "area-square-meter", "sq. m": "area-square-meter",
    "sq km": "area-square-kilometer", "sq. km": "area-square-kilometer",
    "cu ft": "volume-cubic-foot", "cu. ft": "volume-cubic-foot", "fl. oz": "volume-fluid-ounce",
    "ppm": "concentr-permillion", "hp": "power-horsepower",
}  # fmt: skip
"""Which mean something else in other languages, or nothing."""
