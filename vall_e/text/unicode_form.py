"""The one way in which a text is written before it becomes ids."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from vall_e.errors import TextError
from vall_e.text.punctuation import SAME_MARKS, unify

_FORMS = frozenset(
    f"<{form}>"
    for form in (
        *("wide", "narrow", "compat", "font", "square", "sub"),
        *("initial", "medial", "final", "isolated"),  # of Arabic
    )
)
"""What Unicode calls the letters that differ from ordinary ones by their look alone."""
LATIN_1 = 0xFF
SOFT_HYPHEN = "\u00ad"
_KEPT = frozenset(SAME_MARKS)
_JOINERS = "\u200c\u200d"
_INVISIBLE = frozenset("\u00ad\u180e\u200b\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff")
_NEEDLESS_JOINER = re.compile(rf"(?<=[\u0000-\u05ff])[{_JOINERS}]+(?=[\u0000-\u05ff]|$)")
"""In scripts that do not join letters."""
_PLAIN = {"，": ",", "．": ".", "：": ":", "｡": "."}
_FULL_WIDTH_IN_NUMBERS = re.compile(r"(?<=\d)[，．：](?=\d)")


def require_characters(text: str) -> str:
    """The text; raises `TextError` if it holds bytes that are not UTF-8, or half a character.

    Python keeps such bytes of the command line, of files and of JSON as lone surrogates, which
    cannot be written anywhere.
    """
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        code = f"U+{ord(text[exc.start]):04X}"
        raise TextError(
            f"the text is not UTF-8 (character {exc.start + 1}, {code}): {text[:40]!a}",
            hint="save the text as UTF-8, or set the terminal to UTF-8",
        ) from exc
    return text


def canonical(phonemes: str) -> str:
    """Phonemes in form NFD: an accent is a symbol of its own, however it was written."""
    return unicodedata.normalize("NFD", phonemes)


def compatible(text: str) -> str:
    """The text in ordinary letters: `ＡＢＣ` as `ABC`, `ﬁ` as `fi`, `Ⅷ` as `VIII`, `㎏` as `kg`.

    Zero-width characters fall, but for the joiners between letters that need them. Fractions and
    raised figures stay, since they mean more than their figures; so do marks such as `，`, which
    say where a clause ends.
    """
    text = _FULL_WIDTH_IN_NUMBERS.sub(lambda found: _PLAIN[found[0]], text)
    text = _NEEDLESS_JOINER.sub("", text)
    return "".join(_compatible(char) for char in text)


@lru_cache(maxsize=4096)
def _compatible(char: str) -> str:
    if ord(char) <= LATIN_1 and char != SOFT_HYPHEN:
        return char
    if char in _KEPT or (unicodedata.category(char) == "Cf" and char in _JOINERS):
        return char
    if char in _INVISIBLE:
        return ""
    form, _, points = unicodedata.decomposition(char).partition(" ")
    if form not in _FORMS or (form == "<compat>" and unicodedata.category(char)[0] not in "LN"):
        return char
    return "".join(_compatible(chr(int(point, 16))) for point in points.split())


def spelling(text: str) -> str:
    """A text as it is spelt, for tasks that read or write letters: one kind of mark and space."""
    return canonical(unify(text))
