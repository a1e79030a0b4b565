"""Words whose pronunciation is given: set aside before a text is normalized, and put back after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from attrs import frozen

from vall_e.errors import TextError
from vall_e.text.lexicon import Lexicon
from vall_e.text.punctuation import MARKS

INLINE = re.compile(r"\[([^\[\]\n]+)\]\(/([^/\n]+)/\)")
"""`[word](/phonemes/)`"""
FIRST_PLACEHOLDER = 0xF0000
"""Of a private use area. One character stands for one word."""


@frozen
class MarkedText:
    """A text with placeholders, and what they stand for."""

    text: str
    phonemes: dict[str, str]

    def parts(self, written: str) -> Iterator[tuple[str, str]]:
        """Of the text after normalizing: words to phonemize, and the phonemes that follow them.

        Raises `TextError` if a placeholder is gone.
        """
        kept = [char for char in written if char in self.phonemes]
        if kept != list(self.phonemes):
            raise TextError(
                f"the normalizer dropped {len(self.phonemes) - len(set(kept))} of "
                f"{len(self.phonemes)} words whose pronunciation is given",
                hint="choose another text.normalizer, or set text.normalize: false",
            )
        start = 0
        for place, char in enumerate(written):
            if char in self.phonemes:
                yield written[start:place], self.phonemes[char]
                start = place + 1
        yield written[start:], ""


@frozen
class Pronunciations:
    """What may be pronounced otherwise than the phonemizer does."""

    lexicon: Lexicon | None
    inline: bool

    def mark(self, text: str) -> MarkedText:
        """Inline pronunciations count before those of the lexicon."""
        found = list(self._found(text))
        if not found:
            return MarkedText(text, {})
        free = (chr(code) for code in count(FIRST_PLACEHOLDER) if chr(code) not in text)
        marked, phonemes, reached = "", {}, 0
        for (start, end, sound), placeholder in zip(found, free, strict=False):
            marked += text[reached:start] + placeholder
            phonemes[placeholder] = sound
            reached = end
        return MarkedText(marked + text[reached:], phonemes)

    def _found(self, text: str) -> Iterator[tuple[int, int, str]]:
        reached = 0
        for inline in INLINE.finditer(text) if self.inline else ():
            yield from self._listed(text, reached, inline.start())
            yield inline.start(), inline.end(), inline[2].strip()
            reached = inline.end()
        yield from self._listed(text, reached, len(text))

    def _listed(self, text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        if self.lexicon is not None:
            for first, last, phonemes in self.lexicon.find(text[start:end]):
                yield start + first, start + last, phonemes


def joined(parts: list[str]) -> str:
    """Phonemes of a text's parts: a space between words, none before a mark."""
    whole = ""
    for part in filter(None, parts):
        whole += f"{'' if not whole or part[0] in MARKS else ' '}{part}"
    return whole
