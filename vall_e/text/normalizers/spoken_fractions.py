"""Fractions with what they are a part of, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vall_e.text.normalizers.spoken_numbers import LONGEST_NAME

if TYPE_CHECKING:
    import re

    from vall_e.text.normalizers.spoken_amounts import SpokenAmounts
    from vall_e.text.wordings.wording import Fractions

CONTEXT = 80
"""So many characters on either side tell what a fraction is."""


class SpokenFractions:
    """What is said for a match of `vall_e.text.fractions.FRACTION`, with its unit (`u`) if any."""

    def __init__(self, amounts: SpokenAmounts, said: Fractions) -> None:
        self.amounts, self.numbers, self.said = amounts, amounts.numbers, said

    def __call__(self, found: re.Match[str]) -> str:
        """A fraction, or two numbers: 24/7."""
        whole, unit, parts = found["w"] or "", found["u"], self._parts(found)
        if unit and parts and not whole:
            return self._part_of_unit(found, parts)
        count = self.numbers.count
        said = parts or f"{count(found['n'])} {count(found['d'])}"
        if whole:
            said = self.said.mixed(count(whole), said)
        if not unit:
            return said
        # One written out stays as it is: a 2 1/2 inch pipe.
        units = self.amounts.units
        return f"{said} {self.amounts.unit(2, units[unit]) if unit in units else unit}"

    def _part_of_unit(self, found: re.Match[str], parts: str) -> str:
        one = self.amounts.unit(1, {**self.amounts.units, **self.said.units}[found["u"]])
        before = found.string[max(0, found.start() - CONTEXT) : found.start()]
        return self.said.of_unit(parts, one, int(found["n"]), int(found["d"]), before)

    def _parts(self, found: re.Match[str]) -> str | None:
        """Both numbers with what joins them; none where nothing does."""
        if max(len(found["n"]), len(found["d"])) > LONGEST_NAME:
            return None
        above, below, count = int(found["n"]), int(found["d"]), self.numbers.count(found["n"])
        if not (found["w"] or found["u"]):
            before = found.string[max(0, found.start() - CONTEXT) : found.start()]
            after = found.string[found.end() : found.end() + CONTEXT]
            between = self.said.between(before, above, below, after)
            if between is not None:
                return f"{count} {between} {self.numbers.count(found['d'])}".replace("  ", " ")
        return self.said.parts(count, above, below, after_whole=bool(found["w"]))
