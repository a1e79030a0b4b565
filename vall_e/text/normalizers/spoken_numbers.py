"""Numbers in words, by num2words: counts, amounts, digits one by one, places."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol
from num2words import num2words

if TYPE_CHECKING:
    from vall_e.text.wordings.wording import Wording

LONGEST_NAME = 15
"""More digits than this are read one by one, as are those of a number that starts with 0."""
YEARS = range(1100, 2100)


class SpokenNumbers:
    """The numbers of one language."""

    def __init__(self, words: Wording) -> None:
        self.words = words
        locale = Locale.parse(words.locale)
        self.point = get_decimal_symbol(locale)
        group = get_group_symbol(locale)
        self._marks = "[ \xa0\u202f]" if group.isspace() else re.escape(group)

    def pattern(self) -> str:
        """1,234.5 in English, 1.234,5 in German, 1 234,5 in French."""
        point = re.escape(self.point)
        whole = rf"(?:{self.words.thousands}|\d{{1,3}}(?:{self._marks}\d{{3}})+(?!\d)|\d+)"
        return rf"(?:{whole}(?:{point}\d+)?|(?<![\w.,]){point}\d+)"

    def long_pattern(self) -> str:
        """A number of 40 digits and more, before or after the point."""
        point = re.escape(self.point)
        marked = rf"\d{{1,3}}(?:{self._marks}\d{{3}}){{13,}}+(?!\d)"
        return rf"(?<!\d)(?:(?:{marked}|\d{{40,}}+)(?:{point}\d+)?|\d{{1,39}}{point}\d{{40,}}+)"

    def figures(self) -> re.Pattern[str]:
        """A number as CLDR writes it in the name of a quantity."""
        return re.compile(rf"\d+(?:{re.escape(self.point)}\d+)?")

    def value(self, figures: str) -> Decimal:
        plain = figures.replace(self.point, "@")
        return Decimal("".join(c for c in plain if c in "0123456789@").replace("@", "."))

    def count(self, figures: str) -> str:
        """A number as written: a year, an amount, or digits."""
        if figures.isdigit() and len(figures) == 4 and int(figures) in YEARS:
            return without_commas(num2words(int(figures), lang=self.words.numbers, to="year"))
        if figures.isdigit() and (
            len(figures) > LONGEST_NAME or (len(figures) > 1 and figures.startswith("0"))
        ):
            return self.digits(figures)
        return self.cardinal(self.value(figures))

    def cardinal(self, value: Decimal) -> str:
        # num2words' own decimals differ by language, and are lost in some.
        whole, _, decimals = f"{value:f}".partition(".")
        said = self.words.in_thousands(self._whole(whole))
        return f"{said} {self.words.point} {self.digits(decimals)}" if decimals else said

    def _whole(self, figures: str) -> str:
        if len(figures) > LONGEST_NAME:
            return self.digits(figures)
        return without_commas(num2words(int(figures), lang=self.words.numbers))

    def digits(self, figures: str) -> str:
        return " ".join(map(self._digit, figures))

    def _digit(self, figure: str) -> str:
        return _digit(figure, self.words.numbers)

    def ordinal(self, figures: str) -> str | None:
        """None for a number that is too long to name."""
        if len(figures) > LONGEST_NAME:
            return None
        return without_commas(num2words(int(figures), lang=self.words.numbers, to="ordinal"))

    def before_noun(self, value: Decimal, noun: str) -> str:
        """The number as it stands before a noun: `ein Kilogramm`, not `eins Kilogramm`."""
        if value != 1 or not self.words.one:
            return self.cardinal(value)
        masculine, feminine = self.words.one
        return feminine if re.split(r"\W", noun)[0] in self.words.feminine else masculine


@cache
def _digit(figure: str, language: str) -> str:
    return without_commas(num2words(int(figure), lang=language))


def without_commas(said: str) -> str:
    return said.replace(",", "")  # "one thousand, two hundred" would be read with a pause
