"""Cut a long text into sentences, and long sentences where a reader breathes. No word is lost."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from vall_e.text.wordings.lookup import never_ends_a_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_WORDS = 40
"""About 15 seconds of English."""
FEWEST_WORDS = 3
"""A long sentence is not cut so close to its ends, unless in the middle of very few words."""

_ENDS = ".!?…"
_CLOSING = "\"'”’»)\\]"
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f"
# Where a sentence may end: marks with the quotes after them, then a space; or a mark of Chinese
# and Japanese, which are written without spaces.
_END = re.compile(rf"[{_ENDS}]+[{_CLOSING}]*(?=\s)|[。！？][」』”’）]*")
# Chinese and Japanese have no spaces to count words by: two letters count as one.
_WORD = re.compile(rf"(?:[{_CJK}]{{1,2}}[、。，！？…—」』]*|(?:(?![{_CJK}])\S)+)\s*")
_CLAUSE = re.compile(r"[,;:—、，；：][\"'”’»)\]」』]*\s*$")
# Words before which a clause ends without a comma. Only long sentences are cut here, and a cut that
# is not the best costs melody alone, so one list serves the languages that share its words.
_JOINTS = frozenset({
    "and", "but", "or", "because", "although", "while", "when", "where", "if", "that", "which",
    "who", "until", "before", "after", "since",
    "und", "oder", "aber", "weil", "dass", "während", "wenn", "als", "nachdem", "obwohl",
    "et", "mais", "ou", "parce", "quand", "lorsque", "puisque", "pendant",
    "y", "pero", "porque", "cuando", "mientras", "aunque",
})  # fmt: skip
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
    """Halve until it fits: at the comma nearest to the middle, before a joint, or in the middle."""
    if len(words) <= max_words:
        yield words
        return
    middle = len(words) / 2
    places = range(FEWEST_WORDS, len(words) - FEWEST_WORDS + 1)
    commas = [place for place in places if _CLAUSE.search(words[place - 1])]
    joints = [place for place in places if words[place].strip().lower() in _JOINTS]
    cut = min(commas or joints, key=lambda place: abs(place - middle), default=round(middle))
    yield from _short(words[:cut], max_words)
    yield from _short(words[cut:], max_words)
