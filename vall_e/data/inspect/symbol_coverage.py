"""Which symbols a model knows, and which of them some texts have. Torch-free."""

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
    """`unknown` symbols, and how often the texts have them; `unseen` ones are in no text."""

    symbols: int
    """That the vocabulary has, its special ones aside."""
    unknown: Counter[str]
    unseen: tuple[str, ...]

    @property
    def share(self) -> float:
        """Of the vocabulary's symbols, those that some text has."""
        return 1 - len(self.unseen) / self.symbols if self.symbols else 0.0


def coverage(found: Survey, vocabulary: Vocabulary) -> Coverage:
    """What the phonemes of these utterances and a vocabulary have in common."""
    unknown: Counter[str] = Counter()
    seen: set[int] = set()
    for item in found.items:
        encoded = vocabulary.look_up(canonical(item.phonemes))
        unknown += encoded.unknown
        seen.update(encoded.ids)
    ids = range(len(HEAD), len(vocabulary))
    unseen = tuple(vocabulary.symbols[index] for index in ids if index not in seen)
    return Coverage(len(ids), unknown, unseen)
