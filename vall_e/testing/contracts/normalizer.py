"""What every text normalizer must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vall_e.interfaces.text import Normalizer

MARKS = set(".!?")
FIRST, SECOND = "\U000f0000", "\U000f0001"
"""Private use: they stand for words whose pronunciation is given."""


class NormalizerContract:
    """`make` returns a normalizer; the texts are ones in `language`, which it knows."""

    language = "en-us"
    text = "Are there 5? No, 12 came on 3 May 2020!"
    """With figures that it writes out."""
    words = "Hello, world! Is this a test?"
    """With nothing to write out."""

    def make(self) -> Normalizer:
        raise NotImplementedError

    def test_no_figure_is_left(self) -> None:
        written = self.make()(self.text, self.language)
        left = [char for char in written if char.isdecimal()]
        assert not left, f"{self.text!r} becomes {written!r}, in which figures are left"

    def test_words_stay_as_they_are(self) -> None:
        written = self.make()(self.words, self.language)
        assert written == self.words, f"{self.words!r} has only words, but becomes {written!r}"

    def test_what_it_wrote_stays_as_it_is(self) -> None:
        normalizer = self.make()
        once = normalizer(self.text, self.language)
        twice = normalizer(once, self.language)
        assert twice == once, f"its own output {once!r} becomes {twice!r}"

    def test_every_sentence_keeps_its_end(self) -> None:
        written = self.make()(self.text, self.language)
        marks = [[char for char in said if char in MARKS] for said in (self.text, written)]
        assert marks[0] == marks[1], f"{self.text!r} becomes {written!r}, with other ends"

    def test_given_pronunciations_stay_in_their_places(self) -> None:
        text = f"{self.words} {FIRST} {self.text} {SECOND}."
        written = self.make()(text, self.language)
        kept = [char for char in written if char in (FIRST, SECOND)]
        assert kept == [FIRST, SECOND], (
            f"of the private-use characters U+F0000 and U+F0001, which stand for words, "
            f"{written!r} has {[f'U+{ord(char):X}' for char in kept]}"
        )

    def test_the_same_text_gives_the_same_words(self) -> None:
        normalizer = self.make()
        first = normalizer(self.text, self.language)
        normalizer(self.words, self.language)
        again, other = normalizer(self.text, self.language), self.make()(self.text, self.language)
        assert first == again == other, f"{self.text!r} becomes {first!r}, {again!r}, {other!r}"

    def test_no_text_gives_no_words(self) -> None:
        for empty in ("", " "):
            written = self.make()(empty, self.language)
            assert not written.strip(), f"{empty!r} becomes {written!r}"

    def test_a_language_that_it_does_not_know_stays_as_it_is(self) -> None:
        normalizer = self.make()
        if not normalizer.languages:  # it knows all
            return
        written = normalizer(self.text, "qaa")
        assert written == self.text, (
            f"in the language 'qaa', which is not among its {list(normalizer.languages)}, "
            f"{self.text!r} becomes {written!r}"
        )

    def test_its_languages_are_codes(self) -> None:
        languages = self.make().languages
        known = [self.language, self.language.partition("-")[0]]
        assert not languages or set(known) & set(languages), (
            f"`languages` is {list(languages)}, without the {self.language!r} that it is tested in"
        )
