"""What of a text a phonemizer leaves unsaid, or says as a code point instead of a sound."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING

from babel.core import get_global

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vall_e.interfaces.text import Phonemizer

SILENT = "\"'*,./:;?!\\¡¿…‚„·•‧`´\N{RIGHT SINGLE QUOTATION MARK}。．｡।۔，、､،；؛：！？؟⋯"
"""Marks of which nobody expects a sound, beside brackets, quotes and dashes."""
_KEPT = frozenset({"L", "M", "Z", "Cc", "Cf", "Ps", "Pe", "Pi", "Pf", "Pd", "Pc"})
ALIKE = 0.7
"""Of a word and its letters one by one, the share of sounds in common: espeak slurs some."""
_FOREIGN_WORD = re.compile(r"[\u0370-\u07ff\u0900-\u10ff\u1f00-\u1fff\u3041-\u30ff]{2,}")
"""Letters that are neither Latin nor Chinese."""
_STRESS = str.maketrans("", "", "ˈˌ ")


class DroppedSymbols:
    """Finds the characters that a phonemizer loses."""

    def __init__(self, phonemizer: Phonemizer) -> None:
        self._phonemizer = phonemizer
        self._spelled: dict[tuple[str, str], bool] = {}

    def __call__(self, text: str, language: str) -> Counter[str]:
        """How often each that is lost occurs in the text.

        A sign is lost if the text sounds the same without it. A letter is lost if all that is said
        of it is its number: "letter one six a zero", in espeak's case; or if it is of another
        script, and its word sounds as its letters do alone: "Hebrew shin Hebrew lamed".
        """
        text = unicodedata.normalize("NFC", text)
        found = Counter(char for char in text if not char.isascii() or not char.isalnum())
        lost = {char for char in found if _is_no_character(char)}
        lost |= self._unheard(without(text, lost), filter(_is_sign, found.keys() - lost), language)
        lost |= {char for char in found if _may_be_spelled(char) and self._spells(char, language)}
        for word in set(_FOREIGN_WORD.findall(text)) if _is_latin(language) else ():
            lost |= set(word) if self._names_letters(word, language) else set()
        return Counter({char: count for char, count in found.items() if char in lost})

    def _unheard(self, text: str, signs: Iterable[str], language: str) -> set[str]:
        signs = list(signs)
        if not signs:
            return set()
        whole = self._phonemizer(text, language)
        return {sign for sign in signs if self._phonemizer(without(text, sign), language) == whole}

    def _names_letters(self, word: str, language: str) -> bool:
        one_by_one = "".join(self._sound(letter, language) for letter in word)
        alike = SequenceMatcher(None, self._sound(word, language), one_by_one, autojunk=False)
        return alike.ratio() > ALIKE

    def _spells(self, letter: str, language: str) -> bool:
        if (letter, language) not in self._spelled:
            figures = [self._sound(figure, language) for figure in f"{ord(letter):x}"[-2:]]
            ending = "".join(figures)
            spelled = bool(ending) and self._sound(letter, language).endswith(ending)
            self._spelled[letter, language] = spelled
        return self._spelled[letter, language]

    def _sound(self, text: str, language: str) -> str:
        return self._phonemizer(text, language).translate(_STRESS)


@lru_cache
def _is_latin(language: str) -> bool:
    """Whether it is written in the Latin script, as CLDR says."""
    return "_Latn" in get_global("likely_subtags").get(language.partition("-")[0], "")


def without(text: str, chars: Iterable[str]) -> str:
    """The text with a space for each of the characters."""
    return text.translate({ord(char): " " for char in chars})


def _is_no_character(char: str) -> bool:
    return unicodedata.category(char) in {"Cs", "Co", "Cn"}  # half of one, private, unassigned


def _is_sign(char: str) -> bool:
    category = unicodedata.category(char)
    return not (category in _KEPT or category[0] in _KEPT or char in SILENT)


def _may_be_spelled(char: str) -> bool:
    # Latin-1 is known everywhere; a phonemizer that cannot read Chinese says so itself.
    return char.isalpha() and ord(char) > 0xFF and "CJK" not in unicodedata.name(char, "")
