"""Numbers, dates, money, units and abbreviations written out as they are spoken.

The words of numbers are num2words', those of months, units and currencies CLDR's (babel). Languages
without a `Wording` are left to the phonemizer: espeak speaks the numbers of most.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from vall_e.errors import TextError
from vall_e.text.fractions import FRACTION
from vall_e.text.match_patterns import SPACE, UPPER, any_of, apart, expanding, saying
from vall_e.text.normalizers.exponents import SpokenExponents
from vall_e.text.normalizers.measures import Measures
from vall_e.text.normalizers.spoken_amounts import SpokenAmounts
from vall_e.text.normalizers.spoken_fractions import SpokenFractions
from vall_e.text.normalizers.spoken_numbers import SpokenNumbers
from vall_e.text.normalizers.spoken_times import SpokenTimes
from vall_e.text.sentences import with_spaces
from vall_e.text.wordings.lookup import LANGUAGES, wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from vall_e.text.normalizers.options import RulesConfig
    from vall_e.text.wordings.wording import Wording

    Rule = tuple[str, Callable[[re.Match[str]], str]]

SHOUTED_WORDS = 4
"""A text of so many words all in capitals is a transcript in capitals, not a row of acronyms."""


class RuleNormalizer:
    """The normalizer `rules`. In every language, digits of other scripts become 0 to 9."""

    languages: Sequence[str] = LANGUAGES

    def __init__(self, config: RulesConfig) -> None:
        self._config = config

    def __call__(self, text: str, language: str) -> str:
        """Raises `TextError` for a number of too many digits."""
        text = "".join(str(int(char)) if char.isdecimal() else char for char in text)
        self._require_readable(text)
        words = wording(language)
        return text if words is None else _speaker(words).write_out(text)

    def _require_readable(self, text: str) -> None:
        longest = max((len(digits) for digits in re.findall(r"\d+", text)), default=0)
        if longest > self._config.max_digits:
            raise TextError(
                f"a number of {longest} digits is too long to be read: text.normalizer.max_digits "
                f"is {self._config.max_digits}",
                hint="leave it out, or cut it into several",
            )


@lru_cache
def _speaker(words: Wording) -> _Speaker:
    return _Speaker(words)


class _Speaker:
    """The rules of one language, with their patterns compiled."""

    def __init__(self, words: Wording) -> None:
        self.words = words
        self.numbers = SpokenNumbers(words)
        self.amounts = SpokenAmounts(self.numbers)
        self.times = SpokenTimes(self.amounts)
        self.long_number = re.compile(self.numbers.long_pattern())
        """Read at once, since to try it as a date, a time or an amount takes long."""
        self.rules = [(re.compile(pattern), say) for pattern, say in self._rules()]

    def write_out(self, text: str) -> str:
        if text.isupper() and len(text.split()) >= SHOUTED_WORDS:
            text = text.lower()
        text = with_spaces(text)
        text = self.long_number.sub(self._number, text)
        text = self.words.prepare(text)
        for pattern, say in self.rules:
            text = pattern.sub(say, text)
        return text

    def _rules(self) -> Iterable[Rule]:
        """In order: what one rule writes out is not seen by the next."""
        words, number, exponents = self.words, self.numbers.pattern(), SpokenExponents(self.amounts)
        yield from exponents.of_numbers()
        yield from self._in_context()
        yield from exponents.after_carets()
        yield from Measures(self.amounts).rules()
        yield from self.times.name_rules()
        yield from self._abbreviations()
        yield from self.times.rules()
        yield from self._fractions()
        yield from self.amounts.rules()
        yield from exponents.of_letters()
        yield from self._ordinals()
        yield from self._rows_of_digits(number)
        yield r"(?<![\w.,-])(\d+)\s?[-–]\s?(\d+)(?!\w|-\d|[.,]\d)", self._range
        yield rf"(?<![\w.,-])({number})\s?[-–]\s?({number})(?!\w|-\d)", self._range_of_amounts
        yield rf"(?<![\w.,])[-−](?={number})", saying(words.minus + " ")
        yield rf"(?P<n>{number})(?P<gap> )(?P<noun>[^\W\d_]+)", self._counted
        yield number, self._number

    def _in_context(self) -> Iterator[Rule]:
        months = any_of(self.times.months.values())
        for pattern, said in self.words.in_context:
            yield pattern.replace("MONTH", months), expanding(said)

    def _abbreviations(self) -> Iterator[Rule]:
        words = self.words
        yield (
            rf"(?<!\w){any_of(words.before_number)}(?=[^\S\n]*[$€£~]?\d)",
            lambda found: words.before_number[found[0]],
        )
        yield rf"(?<!\w){any_of(words.abbreviations)}(?!\w)", self._abbreviation
        yield rf"\b(?:[{UPPER}]\.){{2,}}", self._acronym
        initial = rf"(?:[{UPPER}](?<!I)|I(?=\.\s?[{UPPER}]\.))"  # I. is a word
        lettered = "".join(rf"(?<!\b(?i:{word}) )" for word in words.lettered)
        yield rf"\b{lettered}({initial})\.(?=\s?[{UPPER}])", self._letter
        letter = any_of(words.letters)
        for place in words.letter_places:
            yield place.replace("LETTER", f"({letter})"), self._letter
        yield r"\bA[-–]Z\b", saying(f"A {words.until} Z")

    def _fractions(self) -> Iterator[Rule]:
        if self.words.fractions is None:
            return
        part_of = rf"(?:{self.amounts.unit_pattern()}|{any_of(self.words.fractions.units)})"
        of_unit = rf"(?:{SPACE}(?P<u>{part_of}){self.amounts.stop_pattern()})?"
        yield FRACTION + of_unit, SpokenFractions(self.amounts, self.words.fractions)

    def _ordinals(self) -> Iterator[Rule]:
        for pattern, old, new in self.words.ordinals:
            where = pattern.replace("MONTH", any_of(self.times.months.values()))
            yield where, self._ordinal(old, new)
        yield self.words.decades, self._decade

    def _rows_of_digits(self, number: str) -> Iterator[Rule]:
        """Addresses, versions, telephone numbers."""
        octet = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
        yield rf"(?<![\d.]){octet}(?:\.{octet}){{3}}(?!\.?\d)", self._version
        yield rf"(?<!\d)(?!{number}(?!\.?\d))\d+(?:\.\d+){{2,}}(?!\d)", self._version
        yield r"(?<![\w.,])(?<!\d[-–])\+?\d++(?:[-–]\d++){2,}+(?![\w-])", self._telephone
        yield r"(?<![\w.,])(?:\d{1,3} )?\d{3} \d{3} \d{4}(?![\w-])", self._telephone
        yield r"\((?P<area>\d{3})\)(?=\s?\d)", lambda found: self._digits(found["area"]) + ","

    # What is said for a match.

    def _abbreviation(self, found: re.Match[str]) -> str:
        written = found[0]
        said = self.words.abbreviations[written]
        return said + "." if written.endswith(".") and self._ends(found) else said

    def _ends(self, found: re.Match[str]) -> bool:
        """Whether a sentence ends after an abbreviation."""
        rest = found.string[found.end() : found.end() + 40].lstrip("\"')”’»")
        if not rest or not rest.strip():
            return not rest
        if found[0] in self.words.before_name or re.match(rf"\s+{self.words.zones}\b", rest):
            return False
        return re.match(r"\s+[A-Z]", rest) is not None

    def _acronym(self, found: re.Match[str]) -> str:
        ends = not found.string[found.end() :].strip("\"')”’» ")
        letters = [self.words.letters.get(letter, letter) for letter in found[0].replace(".", "")]
        if ends:
            letters[-1] = found[0][-2]
        return " ".join(letters) + ("." if ends else "")

    def _letter(self, found: re.Match[str]) -> str:
        before = found.string[found.start() : found.start(1)]
        return before + self.words.letters.get(found[1], found[1])

    def _number(self, found: re.Match[str]) -> str:
        return apart(found, self.numbers.count(found[0]))

    def _counted(self, found: re.Match[str]) -> str:
        number, noun = self.numbers.count(found["n"]), found["noun"]
        if self.words.noun(noun):
            return apart(found, self.words.counted(number, noun))
        return apart(found, f"{number} {noun}")

    def _ordinal(self, old: str, new: str) -> Callable[[re.Match[str]], str]:
        def say(found: re.Match[str]) -> str:
            number = self.numbers.ordinal(found["n"].replace(",", ""))
            if number is None:
                return found[0]
            number = re.sub(old, new, number)
            before = found[0][: found.start("n") - found.start()]
            dropped = found.groupdict().get("drop") or ""
            after = found[0][found.end("n") - found.start() + len(dropped) :]
            return f"{before}{number}{after}"

        return say

    def _decade(self, found: re.Match[str]) -> str:
        said = self.numbers.count(found["n"])
        if not found[0].endswith("s"):  # an ending that is not English follows
            return said
        return said[:-1] + "ies" if said.endswith("y") else said + "s"

    def _version(self, found: re.Match[str]) -> str:
        parts = map(self.numbers.count, found[0].split("."))
        return apart(found, f" {self.words.point} ".join(parts))

    def _range(self, found: re.Match[str]) -> str:
        joined = self._joined(found)
        if joined is None:  # a telephone number, say
            return f"{self._digits(found[1])}, {self._digits(found[2])}"
        return f"{self.numbers.count(found[1])} {joined} {self.numbers.count(found[2])}"

    def _range_of_amounts(self, found: re.Match[str]) -> str:
        first, last = map(self.numbers.value, found.groups())
        if first >= last:
            return found[0]
        return f"{self.numbers.cardinal(first)} {self.words.until} {self.numbers.cardinal(last)}"

    def _joined(self, found: re.Match[str]) -> str | None:
        """What stands for the dash of 5-10 and 21-14."""
        first, last = found[1], found[2]
        if any(len(end) > 1 and end.startswith("0") for end in (first, last)):
            return None
        if (len(first), len(last)) == (3, 4) and not (first[-1] == last[-1] == "0"):
            return None  # 555-1234
        if (len(first), len(last)) == (4, 2) or int(first) < int(last):
            return self.words.until
        if re.match(self.words.until_before, found.string[found.end() : found.end() + 20]):
            return self.words.until
        before = found.string[max(0, found.start() - 20) : found.start()]
        if self.words.numbered and re.search(rf"\b(?i:{any_of(self.words.numbered)}) $", before):
            return None
        return self.words.score if max(len(first), len(last)) <= 3 else None

    def _telephone(self, found: re.Match[str]) -> str:
        return ", ".join(map(self._digits, re.findall(r"\d+", found[0])))

    def _digits(self, figures: str) -> str:
        return self.numbers.digits(figures)
