"""What the core asks of a transcriber: the text of a recording, with times. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vall_e.interfaces.judge import Sound


@frozen
class Word:
    """From `start` to `end` of the recording, in seconds."""

    start: float
    end: float
    text: str


@frozen
class Passage:
    """A stretch of continuous speech, in seconds; `speaker` is empty if it is not known."""

    start: float
    end: float
    text: str
    speaker: str = ""
    words: tuple[Word, ...] = field(default=(), repr=False)


@frozen
class Transcript:
    """The text of a recording: passages in order; `language` is empty if it is not known."""

    passages: tuple[Passage, ...]
    language: str = ""

    @property
    def text(self) -> str:
        return " ".join(passage.text for passage in self.passages)


@runtime_checkable
class Transcriber(Protocol):
    """Transcribes recordings, one at a time. Earlier recordings never affect later ones.

    `languages` are the codes that it accepts; empty: any, or it detects the language itself.
    """

    @property
    def languages(self) -> Sequence[str]: ...

    def __call__(self, clip: Sound, *, language: str | None = None) -> Transcript:
        """The transcript of a clip of any rate. Raises `TextError` for an unsupported language."""
        ...


@runtime_checkable
class ReportsProgress(Protocol):
    """Optional for a transcriber: it says how far it is within a long recording."""

    on_seconds: Callable[[float], None]
    """Set by the caller; to be called with the seconds that have been transcribed so far."""
