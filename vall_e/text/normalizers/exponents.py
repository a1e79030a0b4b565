"""Raised figures in words: `10⁻³`, `x²`, and `m²` where no number stands before it."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from vall_e.text.match_patterns import any_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vall_e.text.normalizers.spoken_amounts import SpokenAmounts

_RAISED = r"(?P<e>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"


class SpokenExponents:
    """The exponents of one language; what they are raised from stays as it is."""

    def __init__(self, amounts: SpokenAmounts) -> None:
        self.words, self.amounts = amounts.words, amounts

    def of_numbers(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        """For the time before units are written out, which have figures of their own."""
        yield rf"(?<=[\d)]){_RAISED}", self._say

    def after_carets(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        yield r"(?<=[\w)])\^(?=[-−]?\w)", lambda _: f" {self.words.power} "

    def of_letters(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        """For the time after that."""
        squares = [unit for unit in self.amounts.units if unit[-1] in "²³"]
        yield rf"(?<![^\W_])(?P<u>{any_of(squares)})(?!\w)", self._unit
        yield rf"(?<![^\W_])(?P<l>[^\W\d_]){_RAISED}", lambda found: found["l"] + self._say(found)

    def _unit(self, found: re.Match[str]) -> str:
        return self.amounts.unit(1, self.amounts.units[found["u"]])

    def _say(self, found: re.Match[str]) -> str:
        exponent = unicodedata.normalize("NFKC", found["e"]).replace("−", "-").lstrip("+")
        if exponent in self.words.powers:
            return f" {self.words.powers[exponent]}"
        minus = f"{self.words.minus} " if exponent.startswith("-") else ""
        return f" {self.words.power} {minus}{exponent.lstrip('-')}"
