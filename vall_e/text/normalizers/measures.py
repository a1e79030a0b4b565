"""Marks of feet, inches, minutes and seconds after a number: `12"`, `6'`, `40° 26′ 46″`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vall_e.text.normalizers.spoken_amounts import SpokenAmounts

_OPENING = {'"': '"', "”": "“", "'": "'", "’": "‘"}
_INCHES, _FEET = '"″”', "'′’"
_UNITS = {**dict.fromkeys(_INCHES, "length-inch"), **dict.fromkeys(_FEET, "length-foot")}
# What stands for a number: 12, 5.5, 2 1/2.
_NUMBER = r"(?<![\w.,/:])(?P<n>(?:\d{1,2} )?\d{1,2}/\d{1,2}|\d{1,3}(?:[.,]\d{1,2})?)"
_NO_NOUN = (
    r"\s+(?:wide|long|tall|high|deep|thick|across|apart|away|above|below|and|or|x|by|of|is|are|was|"
    r"in|on|to|at|from|for|with|than|but|as|per)\b"
)


class Measures:
    """The marks of one language, written as words; the numbers stay as they are."""

    def __init__(self, amounts: SpokenAmounts) -> None:
        self.amounts = amounts

    def rules(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        yield (
            r"(?P<d>\d+)°\s?(?P<m>\d{1,2})[′'’](?:\s?(?P<s>\d{1,2}(?:[.,]\d+)?)[″\"”])?",
            self._angle,
        )
        yield rf"{_NUMBER}(?P<f>['′’])(?=\d{{1,2}}(?:[\"″”]|(?![\w'’])))", self._feet
        yield rf"{_NUMBER}(?P<u>[{_INCHES}{_FEET}])(?![^\W_])", self._measure

    def _angle(self, found: re.Match[str]) -> str:
        units = (("d", "angle-degree"), ("m", "duration-minute"), ("s", "duration-second"))
        parts = [(found[part], unit) for part, unit in units if found[part]]
        return " ".join(f"{n} {self._name(n, unit)}" for n, unit in parts)

    def _feet(self, found: re.Match[str]) -> str:
        return f"{found['n']} {self._name('1' if self._short else found['n'], _UNITS[found['f']])} "

    def _measure(self, found: re.Match[str]) -> str:
        mark, before = found["u"], found.string[: found.start()]
        if _closes_a_quotation(before, mark) or re.search(r" (?:foot|feet) $", before[-6:]):
            return found[0]
        after = found.string[found.end() : found.end() + 20]
        before_noun = re.match(r"(?:\s+[a-z]|-[a-z])", after) and not re.match(_NO_NOUN, after)
        number = "1" if self._short and before_noun else found["n"]
        return f"{found['n']} {self._name(number, _UNITS[mark])}"

    @property
    def _short(self) -> bool:
        return self.amounts.words.measure_before_noun

    def _name(self, number: str, unit: str) -> str:
        return self.amounts.unit(1 if number == "1" else 2, unit)


def _closes_a_quotation(before: str, mark: str) -> bool:
    opening = _OPENING.get(mark)
    if opening is None:
        return False
    opened = list(re.finditer(rf"(?<!\w){opening}(?=\w)", before))
    return bool(opened) and mark not in before[opened[-1].end() :].replace(f"{mark}s ", "")
