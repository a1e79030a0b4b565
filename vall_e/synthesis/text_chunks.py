"""How a text is cut into the pieces that are spoken one after the other. Torch-free."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from attrs import frozen

from vall_e.errors import TextError
from vall_e.text.punctuation import clauses
from vall_e.text.sentences import split

if TYPE_CHECKING:
    from vall_e.config.synthesis import SynthesisConfig


@frozen
class Piece:
    """What is spoken in one go, and the silence that follows in seconds."""

    text: str
    pause: float


@frozen
class Cut:
    """Sentences; the first may end at a comma, so that a listener waits less for its sound.

    A model hears only its own piece, so shorter pieces cost melody: the default cuts no sentence
    that is not too long. Streamed or not, a text is cut alike, and so sounds alike.
    """

    words: int
    """Longer sentences are cut."""
    first_words: int
    """The first sentence is cut at its first clause that ends after so many words; 0: it is not."""
    pause: float
    """Seconds between sentences."""

    @classmethod
    def of(cls, config: SynthesisConfig) -> Cut:
        return cls(config.sentence_words, config.first_words, config.pause_seconds)

    def __call__(self, text: str, language: str) -> list[Piece]:
        """Raise `TextError` for a text without words."""
        found = split(text, max_words=self.words, language=language)
        sentences = [sentence for sentence in found if any(map(str.isalnum, sentence))]
        if not sentences:
            raise TextError("there is no text to say", hint="give at least one word")
        pieces = [Piece(sentence, self.pause) for sentence in sentences]
        if self.first_words:
            pieces[:1] = self._soon(sentences[0])
        return [*pieces[:-1], Piece(pieces[-1].text, 0.0)]

    def _soon(self, sentence: str) -> list[Piece]:
        parts = [f"{words}{marks}" for words, marks in clauses(sentence)]
        counts = list(accumulate(len(part.split()) for part in parts))
        enough = next(
            i for i, count in enumerate(counts, 1) if count >= min(self.first_words, counts[-1])
        )
        if enough == len(parts):
            return [Piece(sentence, self.pause)]
        return [
            Piece(" ".join(parts[:enough]), 0.0),
            Piece(" ".join(parts[enough:]), self.pause),
        ]
