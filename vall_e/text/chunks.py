"""Cuts a text into the chunks that are synthesized one after the other. Torch-free."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from attrs import frozen

from vall_e.errors import TextError
from vall_e.text.punctuation import clauses
from vall_e.text.sentences import split

if TYPE_CHECKING:
    from vall_e.config.synthesis import SynthesisConfig

TextChunk = tuple[str, float]
"""A text that is synthesized in one go, and the seconds of silence after it."""


@frozen
class Chunker:
    """Cuts into sentences; the first may end at a comma, so that its sound comes sooner.

    A model sees one chunk at a time, so short chunks cost melody: by default only sentences that
    are too long are cut. A text is cut alike whether it is streamed or not.
    """

    max_words: int
    """Longer sentences are cut."""
    first_words: int
    """The first sentence is cut at its first clause with this many words or more; 0: no cut."""
    pause: float
    """Seconds between sentences."""

    @classmethod
    def of(cls, config: SynthesisConfig) -> Chunker:
        return cls(config.sentence_words, config.first_words, config.pause_seconds)

    def __call__(self, text: str, language: str) -> list[TextChunk]:
        """Raise `TextError` for a text without words."""
        found = split(text, max_words=self.max_words, language=language)
        sentences = [sentence for sentence in found if any(map(str.isalnum, sentence))]
        if not sentences:
            raise TextError("there is no text to say", hint="give at least one word")
        chunks = [(sentence, self.pause) for sentence in sentences]
        if self.first_words:
            chunks[:1] = self._soon(sentences[0])
        return [*chunks[:-1], (chunks[-1][0], 0.0)]

    def _soon(self, sentence: str) -> list[TextChunk]:
        parts = [f"{words}{marks}" for words, marks in clauses(sentence)]
        counts = list(accumulate(len(part.split()) for part in parts))
        enough = next(
            i for i, count in enumerate(counts, 1) if count >= min(self.first_words, counts[-1])
        )
        if enough == len(parts):
            return [(sentence, self.pause)]
        return [(" ".join(parts[:enough]), 0.0), (" ".join(parts[enough:]), self.pause)]
