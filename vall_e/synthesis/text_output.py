"""Requests to tasks that write text: transcriptions, phonemes of a text, text of phonemes."""

from __future__ import annotations

import unicodedata

import torch
from attrs import frozen

from vall_e.audio.codes import Codes
from vall_e.decoding.compatibility import INPUT_RULES, RequestFacts, require
from vall_e.decoding.text import decode_text
from vall_e.errors import TextError
from vall_e.interfaces.task import Sample, Task
from vall_e.model.valle import Valle
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.result import TextResult
from vall_e.text.front_end import FrontEnd
from vall_e.text.languages import resolve_spoken
from vall_e.text.unicode_form import require_characters, spelling
from vall_e.text.vocabulary import BOS, EOS

SYMBOLS_PER_SYMBOL = 4
"""Longest output, in symbols, for each symbol of the input text."""
SPARE = 20
"""Symbols allowed on top of that."""
SHORTEST_SYMBOL = 0.02
"""Seconds; a config may allow less, which would allow too many symbols."""


@frozen(eq=False)
class TextGenerator:
    """Writes text with a model."""

    model: Valle
    task: Task
    front_end: FrontEnd
    languages: tuple[str, ...]
    shortest_symbol: float
    """Seconds that a phoneme symbol lasts at least."""

    @classmethod
    def of(cls, parts: Parts) -> TextGenerator:
        languages = parts.config.text.languages
        shortest = max(SHORTEST_SYMBOL, parts.config.synthesis.seconds_per_symbol[0])
        return cls(parts.bundle.model, parts.task, parts.front_end, languages, shortest)

    def __call__(
        self, text: str = "", *, recording: Codes | None = None, language: str | None = None
    ) -> TextResult:
        """Raises `ConfigError` if the task needs something else, `TextError` for an empty text."""
        facts = RequestFacts(
            task=self.task,
            model=self.model,
            masked=False,
            start=0.0,
            text=bool(text) or self.task.wants.text == "needed",
            voice=False,
            input=recording is not None,
        )
        require(facts, INPUT_RULES)
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
        """Letters and phonemes go to the model unchanged."""
        if not text.strip():
            raise TextError(
                f"there is no text for the task {self.task.name}", hint="give at least one word"
            )
        return self.front_end.ids(spelling(require_characters(text)))

    def _most(self, recording: Codes | None) -> int:
        """The most symbols that fit into the recording."""
        if recording is None:
            return 0
        seconds: float = recording.values.shape[1] / recording.frame_rate
        return round(seconds / self.shortest_symbol)
