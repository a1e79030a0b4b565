"""The punctuation that a model reads, and how a text is cut at it."""

from __future__ import annotations

import re
import unicodedata

MARKS = ".,;:!?—…"
"""Marks that stay among the phonemes; every other mark is dropped or becomes one of these."""

SAME_MARKS = {
    "。": ". ", "．": ". ", "｡": ". ", "।": ". ", "۔": ". ",
    "，": ", ", "、": ", ", "､": ", ", "،": ", ", "；": "; ", "؛": "; ", "：": ": ",
    "！": "! ", "？": "? ", "؟": "? ", "⋯": "…", "―": "—", "〜": "—", "\N{EN DASH}": "-",
}  # fmt: skip
"""Marks of other scripts, and what is read for them."""
_SAME = str.maketrans(SAME_MARKS)
_KEPT_FORMAT = "\u200c\u200d"  # joiners, which Persian and Indic spelling needs
_DASH = re.compile(r"--+|(?<=\s)-(?=\s)")
_SPACED_DASH = re.compile(r"(?:(?<=\D)\s[-–]\s|(?<=\d)\s[-–]\s(?=\D))")
_DOTS = re.compile(r"\.(\s?\.){2,}")
_REPEATED = re.compile(rf"([{MARKS}])(?:\s*\1)+")
# A dot, comma or colon within a word or number belongs to it ("3.14", "10:30", "U.S.A").
_CUT = re.compile(r"((?:[;!?—…]|[.,:](?=[.,;:!?—…\"'”’»)\]]*(?:\s|$)))+)")


def unify(text: str) -> str:
    """The same text in one spelling of punctuation, white space and control characters."""
    text = "".join(_plain(char) for char in text).translate(_SAME)
    text = _DASH.sub("—", _DOTS.sub("…", text))
    return " ".join(_REPEATED.sub(r"\1", text).split())


def _plain(char: str) -> str:
    if unicodedata.category(char) == "Cc":
        return " "
    invisible = unicodedata.category(char) == "Cf" and char not in _KEPT_FORMAT
    return "" if invisible else char


def clauses(text: str) -> list[tuple[str, str]]:
    """Words and the marks that end them, in order; the last may lack marks, the first words.

    A dash or hyphen between spaces, unless figures are on both sides, ends one like `—`.
    """
    parts = [part.strip() for part in _CUT.split(_SPACED_DASH.sub("— ", text))]
    parts.append("")  # there is one more run of words than of marks
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return [(words, marks) for words, marks in pairs if words or marks]
