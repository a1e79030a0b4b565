"""What the core asks of normalizers and phonemizers. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@runtime_checkable
class Normalizer(Protocol):
    """Writes a text out as it is spoken: numbers, dates, units, abbreviations in words.

    `languages` are the ones that it knows, `en` for all varieties of English; empty: all.
    """

    languages: Sequence[str]

    def __call__(self, text: str, language: str) -> str:
        """A text in a language that it does not know stays as it is.

        Characters of the private use areas, which stand for words whose pronunciation is given,
        stay where they are. Raises `TextError` for what cannot be written out.
        """
        ...


@runtime_checkable
class Phonemizer(Protocol):
    """Text to phonemes. `languages` are the codes that `--language` accepts; empty: all codes."""

    languages: Sequence[str]

    def __call__(self, text: str, language: str) -> str:
        """IPA with word gaps and punctuation. Raises `TextError` for an unsupported language."""
        ...

    def alphabet(self) -> Iterable[str]:
        """Every symbol that the output may contain, as far as this is known in advance."""
        ...
