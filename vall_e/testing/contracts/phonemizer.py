"""What every phonemizer must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vall_e.errors import TextError
from vall_e.testing.contracts.requirements import require_error
from vall_e.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from vall_e.interfaces.text import Phonemizer


MARKS = set(",.!?")


class PhonemizerContract:
    """`make` returns a phonemizer that supports `language` and `text`."""

    language = "en-us"
    text = "Hello, world! Is this a test?"

    def make(self) -> Phonemizer:
        raise NotImplementedError

    def test_its_alphabet_covers_its_phonemes(self) -> None:
        phonemizer = self.make()
        vocabulary = Vocabulary.of(phonemizer.alphabet())
        phonemes = phonemizer(self.text, self.language)
        known = vocabulary.decode(vocabulary.encode(phonemes, unknown="error").ids)
        assert known == phonemes, f"`alphabet` lacks symbols of {phonemes!r}"

    def test_its_alphabet_is_the_same_each_time(self) -> None:
        first, second = (Vocabulary.of(self.make().alphabet()) for _ in range(2))
        assert first == second, "`alphabet` changes between two instances"

    def test_words_are_separated_and_punctuation_is_kept(self) -> None:
        phonemes = self.make()(self.text, self.language)
        assert len(phonemes.split()) > 1, f"words are not separated by spaces: {phonemes!r}"
        marks = [[c for c in said if c in MARKS] for said in (self.text, phonemes)]
        assert marks[0] == marks[1], f"punctuation {marks[0]} became {marks[1]}"
        assert phonemes.endswith(self.text[-1]), f"the last mark is missing: {phonemes!r}"
        assert phonemes == " ".join(phonemes.split()), f"extra spaces in {phonemes!r}"

    def test_every_sentence_is_phonemized(self) -> None:
        phonemizer = self.make()
        once = phonemizer(self.text, self.language)
        twice = phonemizer(f"{self.text} {self.text}", self.language)
        assert twice.split() == once.split() * 2, f"said twice, {once!r} became {twice!r}"

    def test_the_same_text_gives_the_same_phonemes(self) -> None:
        phonemizer = self.make()
        first = phonemizer(self.text, self.language)
        phonemizer("Something else.", self.language)
        again, other = (p(self.text, self.language) for p in (phonemizer, self.make()))
        assert again == first == other, f"the same text gives {first!r}, {again!r} and {other!r}"

    def test_white_space_changes_nothing(self) -> None:
        phonemizer = self.make()
        spaced = "  " + self.text.replace(" ", "\n  ") + "\t"
        plain, found = (phonemizer(text, self.language) for text in (self.text, spaced))
        assert found == plain, f"with more white space {plain!r} becomes {found!r}"

    def test_no_text_gives_no_phonemes(self) -> None:
        found = self.make()(" ", self.language)
        assert not found, f"an empty text gives {found!r}"

    def test_an_unknown_language_is_refused(self) -> None:
        phonemizer = self.make()
        if phonemizer.languages:  # empty: it accepts every code
            assert self.language in phonemizer.languages, f"`languages` lacks {self.language}"
            with require_error(TextError, "an unknown language is accepted: raise TextError"):
                phonemizer(self.text, "no-such-language")
