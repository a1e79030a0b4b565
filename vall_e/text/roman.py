"""Roman numerals of English texts, where a word before them says that they are ones."""

from __future__ import annotations

import re

NUMBERED = (
    "War", "Chapter", "Part", "Act", "Scene", "Volume", "Vol.", "Book", "Section", "Article",
    "Phase", "Type", "Class", "Level", "Stage", "Bowl", "Title", "Figure", "Table", "Appendix",
    "Group", "Category", "Grade", "Division", "Episode", "Mark", "Apollo", "Rocky",
)  # fmt: skip
"""Things that are counted: World War two."""
RULERS = (
    "Alexander", "Benedict", "Catherine", "Charles", "Edward", "Elizabeth", "Ferdinand", "Francis",
    "Frederick", "George", "Gregory", "Gustav", "Henry", "Ivan", "James", "John", "Joseph", "Leo",
    "Leopold", "Louis", "Mary", "Napoleon", "Nicholas", "Otto", "Paul", "Peter", "Philip", "Pius",
    "Ptolemy", "Ramses", "Richard", "Robert", "Rudolf", "Sixtus", "Urban", "Victoria", "Wilhelm",
    "William",
)  # fmt: skip
"""Persons, of whom several had the name: Henry the eighth."""
_NUMERAL = r"(?P<numeral>(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3}))(?!\w)"
# I is a word: "Mary I met in May." So it counts only before a stop, and before "of".
_NO_WORD = r"(?!I\b(?!\s?[.,;:!?)]|\s(?:of|was|is)\b|$))"
_AFTER_THING = re.compile(
    rf"\b(?P<before>{'|'.join(map(re.escape, NUMBERED))})\s"
    rf"(?:(?<!\bMark\s)(?<!\bBook\s)|{_NO_WORD}){_NUMERAL}"  # a man; a thing that somebody reads
)
_AFTER_PERSON = re.compile(rf"\b(?P<before>{'|'.join(RULERS)})\s{_NO_WORD}{_NUMERAL}")
_VALUES = {"I": 1, "V": 5, "X": 10}
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def with_figures(text: str) -> str:
    """`World War 2` for `World War II`, `Henry the 8th` for `Henry VIII`."""
    text = _AFTER_THING.sub(lambda found: f"{found['before']} {value(found['numeral'])}", text)
    return _AFTER_PERSON.sub(
        lambda found: f"{found['before']} the {_place(value(found['numeral']))}", text
    )


def value(numeral: str) -> int:
    """Of the letters I, V and X: one before a larger one is taken off."""
    values = [_VALUES[letter] for letter in numeral]
    after = [*values[1:], 0]
    return sum(-one if one < other else one for one, other in zip(values, after, strict=True))


def _place(number: int) -> str:
    ending = "th" if number in (11, 12, 13) else _ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"
