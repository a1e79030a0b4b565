"""Texts in the recognizer's spelling, and how many words are wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence


def plain(text: str) -> str:
    """Lower-case letters and apostrophes, as in the recognizer's dictionary."""
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("-", " ")
    letters = re.sub(r"[^a-z' ]+", " ", text)
    return " ".join(word.strip("'") for word in letters.split() if word.strip("'"))


def word_errors(said: Sequence[str], recognized: Sequence[str]) -> int:
    """Words to be replaced, deleted or inserted to turn one into the other."""
    row = list(range(len(recognized) + 1))
    for place, word in enumerate(said, 1):
        before, row[0] = row[0], place
        for index, other in enumerate(recognized, 1):
            before, row[index] = (
                row[index],
                min(before + (word != other), row[index] + 1, row[index - 1] + 1),
            )
    return row[-1]
