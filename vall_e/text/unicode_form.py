"""The one way in which a text is written before it becomes ids."""

from __future__ import annotations

import unicodedata

from vall_e.text.punctuation import unify


def canonical(phonemes: str) -> str:
    """Phonemes in form NFD: an accent is a symbol of its own, however it was written."""
    return unicodedata.normalize("NFD", phonemes)


def spelling(text: str) -> str:
    """A text as it is spelt, for tasks that read or write letters: one kind of mark and space."""
    return canonical(unify(text))
