"""Which symbols a model knows, and which of them occur in texts. Torch-free."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import frozen

from vall_e.text.unicode_form import canonical
from vall_e.text.vocabulary import HEAD

if TYPE_CHECKING:
    from vall_e.data.inspect.stats import Survey
    from vall_e.text.vocabulary import Vocabulary


@frozen
class Coverage:
    """`unknown` symbols with their counts in the texts; `unseen` ones occur in no text."""

    symbols: int
    """Symbols in the vocabulary, without special ones."""
    unknown: Counter[str]
    unseen: tuple[str, ...]

    @property
    def share(self) -> float:
        """Share of the vocabulary's symbols that occur in the texts."""
        return 1 - len(self.unseen) / self.symbols if self.symbols else 0.0


def coverage(found: Survey, vocabulary: Vocabulary) -> Coverage:
    """Compare the phonemes of these utterances with a vocabulary."""
    unknown: Counter[str] = Counter()
    seen: set[int] = set()
    for item in found.items:
        encoded = vocabulary.look_up(canonical(item.phonemes))
        unknown += encoded.unknown
        seen.update(encoded.ids)
    ids = range(len(HEAD), len(vocabulary))
    unseen = tuple(vocabulary.symbols[index] for index in ids if index not in seen)
    return Coverage(len(ids), unknown, unseen)
