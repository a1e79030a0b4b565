"""Cut a long text into sentences, and long sentences where a reader breathes. No word is lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vall_e.text.sentence_ends import inner_dots

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
_NEXT = re.compile(r"[^\s\"'“‘«(\[„]|$")
# Chinese and Japanese have no spaces to count words by: two letters count as one.
_PRONOUNCED = r"\[[^\[\]\n]+\]\(/[^/\n]+/\)"  # [word](/phonemes/)
_WORD = re.compile(
    rf"(?:{_PRONOUNCED}\S*|[{_CJK}]{{1,2}}[、。，！？…—」』]*|(?:(?![{_CJK}])\S)+)\s*"
)
_CLAUSE = re.compile(r"(?:[,;:—、，；：][\"'”’»)\]」』]*|(?:^|\s)[-–])\s*$")
# Words before which a clause ends without a comma. Only long sentences are cut here, and a cut that
# is not the best costs melody alone, so one list serves the languages that share its words.
_JOINTS = frozenset({
    "and", "but", "or", "because", "although", "while", "when", "where", "if", "that", "which",
    "who", "until", "before", "after", "since",
    "und", "oder", "aber", "weil", "dass", "während", "wenn", "als", "nachdem", "obwohl",
    "et", "mais", "ou", "parce", "quand", "lorsque", "puisque", "pendant",
    "y", "pero", "porque", "cuando", "mientras", "aunque",
})  # fmt: skip
# A sentence that follows another without a space; but `Node.Js`, `example.Com` and `System.Out.x`.
_GLUED = re.compile(
    r"(?<=[^\W\d_]{2})"
    r"(?:(?<=[a-zß-öø-ÿ])\.(?!(?i:com|org|net|edu|gov|js|io|md|py|txt|exe)\b)|\.{2,}|[!?…]+)"
    r"(?=[¿¡]?[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ'’]*(?:[\s,;:!?…]|\.\s|\.?$))"
)
_ITEM = re.compile(r"\d{1,2}\.")  # 1. Introduction
_PARAGRAPH = re.compile(r"\n\s*\n")


def split(text: str, *, max_words: int = MAX_WORDS, language: str = "") -> list[str]:
    """Sentences in order, each without line breaks and with at most `max_words` words.

    When in doubt a sentence continues: "No. 10" and "J. S. Bach" stay whole. A single line break is
    a space, an empty line ends a sentence. Without a `language`, every abbreviation that is known
    of any counts as one.
    """
    if max_words < 1:
        raise ValueError(f"a piece has at least one word, so max_words is not {max_words}")
    found: list[str] = []
    for paragraph in paragraphs(text):
        for sentence in _sentences(with_spaces(paragraph), language):
            words = _WORD.findall(sentence)
            found += ["".join(piece).strip() for piece in _short(words, max_words)]
    return found


def paragraphs(text: str) -> list[str]:
    """What empty lines keep apart, each in one line."""
    parts = (" ".join(part.split()) for part in _PARAGRAPH.split(text))
    return [part for part in parts if part]


def with_spaces(text: str) -> str:
    """The text with a space after a sentence that the next one was written close to."""
    return _GLUED.sub(r"\g<0> ", text)


def _sentences(paragraph: str, language: str) -> Iterator[str]:
    inner = inner_dots(paragraph, language)
    ends = [found.end() for found in _END.finditer(paragraph) if _is_end(paragraph, found, inner)]
    start = 0
    for end in (*ends, len(paragraph)):
        sentence = paragraph[start:end].strip()
        if sentence and (end == len(paragraph) or not _ITEM.fullmatch(sentence)):
            yield sentence
            start = end


def _is_end(paragraph: str, found: re.Match[str], inner: set[int]) -> bool:
    following = _NEXT.search(paragraph, found.end())
    if following and following[0].islower():
        return False
    return found[0] != "." or found.end() not in inner


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
