"""The dots of a text that end no sentence: of abbreviations, numbers, initials."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from babel import Locale

from vall_e.text.match_patterns import UPPER, any_of
from vall_e.text.wordings.lookup import wording, wordings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vall_e.text.wordings.wording import Wording

_ACRONYM = r"\b(?:[^\W\d_]\.){2,}"
_NUMBER = r"(?=\s*[\d#$€£~])"
_SHORT_NUMBER = r"(?<!\S)\d{1,2}\."
"""A place, or the number of an item, in a language that is not known here."""
_STARTS = r"\s+[\"'“‘«(\[„]*"


def inner_dots(paragraph: str, language: str) -> set[int]:
    """The places right after the dots that end no sentence.

    An empty `language` is any: then a dot counts as that of an abbreviation if it is one somewhere.
    """
    return {
        found.start() + place
        for pattern in _patterns(language)
        for found in pattern.finditer(paragraph)
        for place in _dots(found[0])
    }


def _dots(text: str) -> Iterator[int]:
    return (place + 1 for place, char in enumerate(text) if char == ".")


@lru_cache
def _patterns(language: str) -> tuple[re.Pattern[str], ...]:
    words = wording(language) if language else None
    known = wordings() if words is None else [words]
    patterns = [_ACRONYM, *(pattern for each in known for pattern in _of(each))]
    if words is None:
        patterns.append(_SHORT_NUMBER)
    return tuple(re.compile(pattern) for pattern in patterns)


def _of(words: Wording) -> Iterator[str]:
    yield rf"(?<!\w){any_of(words.before_name)}"
    yield rf"(?<!\w){any_of({*words.before_number, *_months(words)})}{_NUMBER}"
    yield rf"(?<!\w){any_of(_inner_parts(words))}(?=\S|\s\S)"
    yield from words.unbroken
    lettered = "".join(rf"(?<!\b(?i:{word}) )" for word in words.lettered)
    yield rf"(?<!\w){lettered}(?:[{UPPER}](?<!I)|I(?=\.\s?[{UPPER}]\.))\."
    yield rf"(?:{words.dotted_numbers})(?!{_STARTS}{words.starters}\b)"


def _inner_parts(words: Wording) -> set[str]:
    """Abbreviations of several parts without their last dots: `z. B`."""
    return {name.rstrip(".") for name in words.abbreviations if "." in name.rstrip(".")}


def _months(words: Wording) -> set[str]:
    names = Locale.parse(words.locale).months["format"]["abbreviated"].values()
    return {f"{name.rstrip('.')}." for name in names}
