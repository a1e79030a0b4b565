"""What every phonemizer must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vall_e.errors import TextError
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from vall_e.interfaces.text import Phonemizer


MARKS = set(",.!?")


class PhonemizerContract:
    """`make` returns a phonemizer; `language` and `text` are ones that it can speak."""

    language = "en-us"
    text = "Hello, world! Is this a test?"

    def make(self) -> Phonemizer:
        raise NotImplementedError

    def test_its_alphabet_covers_its_phonemes(self) -> None:
        phonemizer = self.make()
        vocabulary = Vocabulary.of(phonemizer.alphabet())
        phonemes = phonemizer(self.text, self.language)
        assert vocabulary.decode(vocabulary.encode(phonemes, unknown="error").ids) == phonemes

    def test_its_alphabet_is_the_same_each_time(self) -> None:
        assert Vocabulary.of(self.make().alphabet()) == Vocabulary.of(self.make().alphabet())

    def test_words_are_apart_and_marks_are_kept(self) -> None:
        phonemes = self.make()(self.text, self.language)
        assert len(phonemes.split()) > 1
        marks = [[c for c in said if c in MARKS] for said in (self.text, phonemes)]
        assert marks[0] == marks[1]
        assert phonemes.endswith(self.text[-1])
        assert phonemes == " ".join(phonemes.split())

    def test_every_sentence_is_spoken(self) -> None:
        phonemizer = self.make()
        once = phonemizer(self.text, self.language)
        twice = phonemizer(f"{self.text} {self.text}", self.language)
        assert twice.split() == once.split() * 2

    def test_the_same_text_gives_the_same_phonemes(self) -> None:
        phonemizer = self.make()
        first = phonemizer(self.text, self.language)
        phonemizer("Something else.", self.language)
        assert (
            phonemizer(self.text, self.language) == first == self.make()(self.text, self.language)
        )

    def test_white_space_changes_nothing(self) -> None:
        phonemizer = self.make()
        spaced = "  " + self.text.replace(" ", "\n  ") + "\t"
        assert phonemizer(spaced, self.language) == phonemizer(self.text, self.language)

    def test_no_text_gives_no_phonemes(self) -> None:
        assert not self.make()(" ", self.language)

    def test_an_unknown_language_is_refused(self) -> None:
        phonemizer = self.make()
        if phonemizer.languages:  # none: it takes every code
            assert self.language in phonemizer.languages
            with pytest.raises(TextError):
                phonemizer(self.text, "no-such-language")
