"""Cuts passages of speech without pauses at the times of their words. Torch-free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from vall_e.data.ingest.segments import LONG
from vall_e.interfaces.transcriber import Passage, Word

SHORTEST = 3.0
"""Seconds of a part, unless it is the last."""


def short_passages(passage: Passage) -> Iterator[Passage]:
    """The passage itself, or parts of at most 15 seconds, cut at the widest gaps between words.

    Without times of words it cannot be cut.
    """
    if passage.end - passage.start <= LONG or len(passage.words) < 2:
        yield passage
        return
    words = list(passage.words)
    between = " " if " " in passage.text.strip() else ""  # not all languages write spaces
    while words:
        count = _count(words)
        part, words = words[:count], words[count:]
        yield attrs.evolve(
            passage,
            start=part[0].start,
            end=part[-1].end,
            text=between.join(word.text.strip() for word in part),
            words=tuple(part),
        )


def _count(words: Sequence[Word]) -> int:
    """How many words make the next part."""
    start = words[0].start
    if words[-1].end - start <= LONG:
        return len(words)
    places = [
        place for place in range(1, len(words)) if SHORTEST <= words[place - 1].end - start <= LONG
    ]
    if not places:
        return 1  # a word that fills the whole part
    return max(places, key=lambda place: (words[place].start - words[place - 1].end, place))
