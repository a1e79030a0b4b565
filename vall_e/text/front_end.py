"""From text to ids: normalization, phonemes, vocabulary."""

from __future__ import annotations

import logging
import unicodedata
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from attrs import Factory, field, frozen

from vall_e.errors import TextError
from vall_e.text.chained_normalizers import ChainedNormalizers
from vall_e.text.dropped_symbols import DroppedSymbols, without
from vall_e.text.languages import resolve
from vall_e.text.lexicon import Lexicon
from vall_e.text.markup import without_markup
from vall_e.text.pronunciations import Pronunciations, joined
from vall_e.text.tokenizers import new_vocabulary
from vall_e.text.unicode_form import compatible
from vall_e.text.vocabulary import EncodedText, Vocabulary, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vall_e.config.schema import TextConfig
    from vall_e.interfaces.text import Normalizer, Phonemizer

log = logging.getLogger(__name__)


@frozen
class FrontEnd:
    """What a model needs to read: made from a config, and the vocabulary that its weights carry."""

    phonemizer: Phonemizer
    vocabulary: Vocabulary
    normalizer: Normalizer | None
    """Writes out numbers, dates and abbreviations first; None: the text is spoken as it stands."""
    unknown: Literal["error", "warn"]
    """What becomes of a character that is not spoken, and of a symbol that the vocabulary lacks."""
    pronunciations: Pronunciations
    """Of words that the phonemizer is not asked for."""
    _losses: DroppedSymbols = field(
        init=False,
        default=Factory(lambda self: DroppedSymbols(self.phonemizer), takes_self=True),
        repr=False,
        eq=False,
    )

    @classmethod
    def of(cls, config: TextConfig, vocabulary: Vocabulary | None = None) -> FrontEnd:
        """Without a vocabulary, it is that of a new model: the phonemizer's alphabet."""
        phonemizer = config.phonemizer.build()
        if vocabulary is None:
            vocabulary = new_vocabulary(config, phonemizer.alphabet())
        normalizer = _normalizer(config) if config.normalize else None
        lexicon = Lexicon.read(Path(config.lexicon)) if config.lexicon else None
        pronunciations = Pronunciations(lexicon, config.inline_phonemes)
        return cls(phonemizer, vocabulary, normalizer, config.unknown, pronunciations)

    @property
    def languages(self) -> Sequence[str]:
        """The codes of the phonemizer. Empty: it takes every code."""
        return self.phonemizer.languages

    def language(self, code: str) -> str:
        """The phonemizer's own code for what the user wrote: `en-us` for `en`."""
        return resolve(code, self.languages)

    def without_markup(self, text: str) -> str:
        """The text without the signs of Markdown, if it is to be normalized; for cutting it."""
        if self.normalizer is None:
            return text
        return without_markup(text, keep_phonemes=self.pronunciations.inline)

    def phonemes(self, text: str, language: str) -> str:
        """Raises `TextError` for an empty text, one without words, and an unknown language.

        A character of which nothing is spoken is refused, or left out with a warning.
        """
        return self._spoken(text, language)[0]

    def read(self, text: str, language: str) -> tuple[str, EncodedText]:
        """The phonemes and their ids, with all that was left out of the text on the way."""
        phonemes, lost = self._spoken(text, language)
        encoded = self.encode(phonemes)
        return phonemes, EncodedText(encoded.ids, lost + encoded.unknown)

    def _spoken(self, text: str, language: str) -> tuple[str, Counter[str]]:
        language = self.language(language)
        if not text.strip():
            raise TextError("there is no text to say", hint="give at least one word")
        marked = self.pronunciations.mark(compatible(text))
        written = self.without_markup(marked.text)
        if self.normalizer is not None:
            written = self.normalizer(written, language)
        parts: list[str] = []
        lost: Counter[str] = Counter()
        for words, phonemes in marked.parts(unicodedata.normalize("NFC", written)):
            dropped = self._losses(words, language)
            lost += dropped
            parts += [self.phonemizer(without(words, dropped), language), phonemes]
        if lost:
            self._report(lost, text)
        spoken = joined(parts)
        if not any(char.isalnum() for char in spoken):
            raise TextError(f"there is nothing to say in {text!r}", hint="give at least one word")
        return spoken, lost

    def _report(self, lost: Counter[str], text: str) -> None:
        if self.unknown == "error":
            raise TextError(
                f"nothing can be spoken for {listed(lost)}, found in {text!r}",
                hint="write it in words, or set text.unknown: warn to leave it out",
            )
        log.warning("left out %s, for which nothing can be spoken, of %r", listed(lost), text)

    def encode(self, phonemes: str) -> EncodedText:
        """Ids with `<bos>` and `<eos>`, and the symbols that the vocabulary lacks."""
        canonical = unicodedata.normalize("NFD", phonemes)
        return self.vocabulary.encode(canonical, unknown=self.unknown)

    def ids(self, phonemes: str) -> list[int]:
        return self.encode(phonemes).ids


def _normalizer(config: TextConfig) -> Normalizer:
    if not config.after_normalizer:
        return config.normalizer.build()
    choices = (config.normalizer, *config.after_normalizer)
    return ChainedNormalizers(tuple(choice.build() for choice in choices))
