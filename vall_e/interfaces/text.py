"""What the core asks of a phonemizer. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


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
