"""Requests to tasks that write text: what a recording says, a text in phonemes, or in letters."""

from __future__ import annotations

import unicodedata

import torch
from attrs import frozen

from vall_e.audio.codes import Codes
from vall_e.decoding.text import decode_text
from vall_e.errors import TextError
from vall_e.interfaces.task import Sample, Task
from vall_e.model.valle import Valle
from vall_e.synthesis.request import require_fit
from vall_e.synthesis.result import TextResult
from vall_e.text.front_end import FrontEnd
from vall_e.text.languages import resolve_spoken
from vall_e.text.unicode_form import spelling
from vall_e.text.vocabulary import BOS, EOS

SYMBOLS_PER_SYMBOL = 4
"""A text has at most so many times the symbols of the text that it is made of."""
SPARE = 20
"""Symbols more than what was asked for may need."""


@frozen(eq=False)
class Scribe:
    """A model that writes text."""

    model: Valle
    task: Task
    front_end: FrontEnd
    languages: tuple[str, ...]
    shortest_symbol: float
    """Seconds that a phoneme symbol lasts at least."""

    def __call__(
        self, text: str = "", *, recording: Codes | None = None, language: str | None = None
    ) -> TextResult:
        """Raises `ConfigError` if the task needs something else, `TextError` for an empty text."""
        require_fit(
            self.task,
            text=bool(text) or self.task.wants.text == "needed",
            voice=False,
            input=recording is not None,
        )
        language = resolve_spoken(language or self.languages[0], self.languages)
        read = self._read(text) if self.task.wants.text != "unused" else None
        sample = Sample(
            text=torch.tensor([BOS, EOS]),
            language=self.languages.index(language),
            prompt=None,
            response=torch.zeros(1, 0, dtype=torch.long),
            input=None if recording is None else torch.from_numpy(recording.values.astype("int64")),
            read=None if read is None else torch.tensor(read),
        )
        most = SPARE + SYMBOLS_PER_SYMBOL * len(read or ()) + self._most(recording)
        written = decode_text(self.model, self.task, sample, most=most)
        found = unicodedata.normalize("NFC", self.front_end.vocabulary.decode(written.ids))
        if self.task.wants.spelling == "written":
            return TextResult("", language, written.ended, spelling=found)
        return TextResult(found, language, written.ended)

    def _read(self, text: str) -> list[int]:
        """What is spelt, or is in phonemes, goes to the model as it is."""
        if not text.strip():
            raise TextError(
                f"there is no text for the task {self.task.name}", hint="give at least one word"
            )
        return self.front_end.ids(spelling(text))

    def _most(self, recording: Codes | None) -> int:
        """Symbols that fit into the recording."""
        if recording is None:
            return 0
        seconds: float = recording.values.shape[1] / recording.frame_rate
        return round(seconds / self.shortest_symbol)
