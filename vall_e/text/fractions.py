"""Two numbers with a slash between them, as English speaks them: fractions, marks, pages."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FRACTION = r"(?<![\w/.,])(?:(?P<w>\d{1,3})\s)?(?P<n>\d+)/(?P<d>\d+)(?![\w/]|[.,]\d)"
"""`3/4`, `2 1/2`; not a date, and not a part of a path."""
FRACTION_BAR = "\N{FRACTION SLASH}"

_PARTS = {
    2: ("half", "halves"), 3: ("third", "thirds"), 4: ("quarter", "quarters"),
    5: ("fifth", "fifths"), 6: ("sixth", "sixths"), 7: ("seventh", "sevenths"),
    8: ("eighth", "eighths"), 9: ("ninth", "ninths"), 10: ("tenth", "tenths"),
    12: ("twelfth", "twelfths"), 16: ("sixteenth", "sixteenths"),
    20: ("twentieth", "twentieths"), 32: ("thirty-second", "thirty-seconds"),
    64: ("sixty-fourth", "sixty-fourths"), 100: ("hundredth", "hundredths"),
}  # fmt: skip
"""One part and more of it, by the number below the bar. Others are no fractions: 9/11."""

_FEW = {2: "halves", 3: "thirds", 4: "quarters"}
"""Of which there may be more than make a whole: five quarters."""
_PLACES = re.compile(
    r"\b(?:page|p\.|part|step|track|slide|sheet|volume|lesson|episode|question|round|stage|level|"
    r"attempt|try|item|exercise|figure) $",
    re.IGNORECASE,
)
_PAGES = re.compile(r"\bpages $", re.IGNORECASE)
_WHOM = r"(?: (?:it|him|her|them|this|that|me|us|you|of|at|as|is|was|a|an))*:? $"
_RATED = re.compile(
    rf"\b(?:scor(?:e|es|ed|ing)|rat(?:e|es|ed|ing)|grade|graded|marks?){_WHOM}", re.IGNORECASE
)
_GIVEN = re.compile(rf"\b(?:got|gets?|gave|gives?){_WHOM}", re.IGNORECASE)
"""After which there may be a mark, or a part of anything: got 7/9, got 3/8 cup."""
_ENDED = re.compile(r" (?:points|right|correct|but|would|on)\b|(?! ?[-\N{NON-BREAKING HYPHEN}]?\w)")
"""What follows a mark: the end of its clause, or one of a few words; not what it is a part of."""
_DATED = re.compile(r"\b(?:on|since|until|till|dated|due) $", re.IGNORECASE)
_FROM = re.compile(r"\b(?:before|after|from) $", re.IGNORECASE)
"""Before a date, or before an amount: after 5/4 hours."""
_FULL_MARKS = (5, 10, 100)


def with_slashes(text: str) -> str:
    """The text with `½` as `1/2`, and `2½` as `2 1/2`."""
    for char in {char for char in text if unicodedata.decomposition(char).startswith("<fraction>")}:
        figures = unicodedata.normalize("NFKC", char).replace(FRACTION_BAR, "/")
        for digit in "0123456789":
            text = text.replace(digit + char, f"{digit} {figures}")
        text = text.replace(char, figures)
    return text.replace(FRACTION_BAR, "/")


class EnglishFractions:
    """What is said for `above/below`, by its numbers and by the text on both sides of it.

    In `after`, signs are words already. `count` is the number above the bar in words.
    """

    @property
    def units(self) -> Mapping[str, str]:
        """Written out already, so that only a fraction changes how they are said: 4 inch pipe."""
        return {"inch": "length-inch", "inches": "length-inch"}

    def parts(self, count: str, above: int, below: int, *, after_whole: bool) -> str | None:
        """`three quarters`, `and a half` after a whole number; none if it is no fraction."""
        if below in _FEW and below < above < 10 and above % below and not after_whole:
            return f"{count} {_FEW[below]}"
        if below not in _PARTS or not 0 < above < below:
            return None
        one, many = _PARTS[below]
        if not after_whole:
            return f"{count} {one if above == 1 else many}"
        article = "an" if one[0] in "aeiou" else "a"
        return f"and {article} {one}" if above == 1 else f"and {count} {many}"

    def between(self, before: str, above: int, below: int, after: str) -> str | None:
        """What stands for the slash where it makes no fraction: `of` in `page 5/6`.

        None where nothing tells; empty where both numbers are said one after the other.
        """
        if re.match(r" equals\b", after) and (above >= below or below not in _PARTS):
            return "divided by"
        if _PAGES.search(before) and below == above + 1:
            return "and"
        if re.match(r" time\b", after) or (above >= below and _is_date(before, below)):
            return ""
        if above > below > 0 and (above % below == 0 or _is_pressure(above, below)):
            return "over"
        if not 0 < above <= below:
            return None
        if _PLACES.search(before):
            return "of"
        return "out of" if _is_mark(before, above, below, after) else None

    def mixed(self, whole: str, parts: str) -> str:
        """A whole number, and the parts or the two numbers after it."""
        return f"{whole} {parts}"

    def of_unit(self, parts: str, unit: str, above: int, below: int, before: str) -> str:
        """A fraction and what it is a part of: `three quarters of an inch`, `one half kilogram`."""
        if above == 1:
            return f"{parts} {unit}"
        if re.search(r"\b(?:an?|the) $", before, re.IGNORECASE):  # a three-quarter inch bolt
            one, many = _PARTS[below]
            return f"{parts.removesuffix(many).replace(' ', '-')}{one} {unit}"
        article = "an" if unit[0] in "aeio" or unit.startswith("hour") else "a"
        return f"{parts} of {article} {unit}"


def _is_pressure(above: int, below: int) -> bool:
    """Whether they may be those of blood: 120/80."""
    return 90 <= above <= 250 and 40 <= below <= 140


def _is_date(before: str, below: int) -> bool:
    """Whether a day follows: on 5/4, from 9/9; not from 3/2 to 5/2."""
    return bool(_DATED.search(before) or (below not in _FEW and _FROM.search(before)))


def _is_mark(before: str, above: int, below: int, after: str) -> bool:
    """Whether it is a score out of a maximum: 4/5 stars, scored 5/9, 8/10; not 7/10 of it."""
    if above == below in _FULL_MARKS or re.match(r" (?:stars?|people)\b", after):
        return True
    if below > 4 and _RATED.search(before):
        return not re.match(r" (?:of|the|an?)\b", after)
    likely = 1 < above < below == 10 or (below > 4 and _GIVEN.search(before))
    return bool(likely and _ENDED.match(after))
