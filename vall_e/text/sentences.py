"""Cut a long text into sentences, and long sentences at their commas. No word is lost."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from vall_e.text.wording import never_ends_a_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_WORDS = 40
"""About 15 seconds of English."""
FEWEST_WORDS = 3
"""A long sentence is not cut at a comma so close to its ends."""

_ENDS = ".!?…"
_CLOSING = "\"'”’»)\\]"
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f"
# Where a sentence may end: marks with the quotes after them, then a space; or a mark of Chinese
# and Japanese, which are written without spaces.
_END = re.compile(rf"[{_ENDS}]+[{_CLOSING}]*(?=\s)|[。！？][」』”’）]*")
# Chinese and Japanese have no spaces to count words by: two letters count as one.
_WORD = re.compile(rf"(?:[{_CJK}]{{1,2}}[、。，！？…—」』]*|(?:(?![{_CJK}])\S)+)\s*")
_CLAUSE = re.compile(r"[,;:—、，；：][\"'”’»)\]」』]*\s*$")
_PARAGRAPH = re.compile(r"\n\s*\n")


def split(text: str, *, max_words: int = MAX_WORDS) -> list[str]:
    """Sentences in order, each without line breaks and with at most `max_words` words.

    When in doubt a sentence goes on: "the 3. October" and "J. S. Bach" stay whole. A single line
    break is a space, an empty line ends a sentence.
    """
    if max_words < 1:
        raise ValueError(f"a piece has at least one word, so max_words is not {max_words}")
    found: list[str] = []
    for paragraph in paragraphs(text):
        for sentence in _sentences(paragraph):
            words = _WORD.findall(sentence)
            found += ["".join(piece).strip() for piece in _short(words, max_words)]
    return found


def paragraphs(text: str) -> list[str]:
    """What empty lines keep apart, each in one line."""
    parts = (" ".join(part.split()) for part in _PARAGRAPH.split(text))
    return [part for part in parts if part]


def _sentences(paragraph: str) -> Iterator[str]:
    ends = [found.end() for found in _END.finditer(paragraph) if _is_end(paragraph, found)]
    for start, end in pairwise([0, *ends, len(paragraph)]):
        sentence = paragraph[start:end].strip()
        if sentence:
            yield sentence


def _is_end(paragraph: str, found: re.Match[str]) -> bool:
    mark, rest = found[0], paragraph[found.end() :].lstrip().lstrip("\"'“‘«([„")
    if rest[:1].islower():
        return False
    if mark != ".":
        return True
    word = paragraph[: found.end()].split()[-1].lstrip("\"'“‘«([„")
    initial = len(word) == len("J.") and word[0].isupper() and word != "I."
    place = word[:-1].isdigit() and len(word) <= len("31.")  # a German ordinal, or a list's number
    acronym = re.fullmatch(r"(?:\w\.){2,}", word) is not None
    return not (initial or place or acronym or never_ends_a_sentence(word))


def _short(words: Sequence[str], max_words: int) -> Iterator[Sequence[str]]:
    """Halve until it fits: at the comma nearest to the middle, else in the middle."""
    if len(words) <= max_words:
        yield words
        return
    middle = len(words) / 2
    clauses = [
        index
        for index in range(FEWEST_WORDS, len(words) - FEWEST_WORDS + 1)
        if _CLAUSE.search(words[index - 1])
    ]
    cut = min(clauses, key=lambda index: abs(index - middle), default=round(middle))
    yield from _short(words[:cut], max_words)
    yield from _short(words[cut:], max_words)
