"""What the core asks of a transcriber: it hears a recording and says what is said. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vall_e.interfaces.judge import Sound


@frozen
class Word:
    """From `start` to `end` of the recording, in seconds."""

    start: float
    end: float
    text: str


@frozen
class Passage:
    """A stretch that is said in one go, in seconds; `speaker` is empty where nobody told them."""

    start: float
    end: float
    text: str
    speaker: str = ""
    words: tuple[Word, ...] = field(default=(), repr=False)


@frozen
class Transcript:
    """What a recording says: passages in order; `language` is empty where it is not known."""

    passages: tuple[Passage, ...]
    language: str = ""

    @property
    def text(self) -> str:
        return " ".join(passage.text for passage in self.passages)


@runtime_checkable
class Transcriber(Protocol):
    """Hears recordings, one at a time. What it heard before changes nothing.

    `languages` are the codes that it can be told; none: whatever it is told, or finds out itself.
    """

    @property
    def languages(self) -> Sequence[str]: ...

    def __call__(self, clip: Sound, *, language: str | None = None) -> Transcript:
        """What a clip of any rate says. Raises `TextError` for a language that it lacks."""
        ...
