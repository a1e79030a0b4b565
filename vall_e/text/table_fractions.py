"""Fractions of languages that need no more than a table: German, French, Spanish."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from attrs import field, frozen


@frozen
class TableFractions:
    """What is said for `above/below`; see `vall_e.text.wordings.wording.Fractions`."""

    one_and_more: Mapping[int, tuple[str, str]] = field(eq=False)
    """One part and several, by the number below the bar: ein Drittel, zwei Drittel."""
    one: str
    """Before one part."""
    over: str
    """Between two numbers of which the first is no part of the second."""
    of: str
    """Between a place and how many there are: Seite 5/6."""
    place_words: tuple[str, ...]
    """What such a place is one of."""
    half: Callable[[str], str] = field(eq=False)
    """Half of a unit, by its name."""
    part_of: Callable[[str, str], str] = field(eq=False)
    """Other parts of a unit: trois quarts d'heure."""
    after_whole: Callable[[str, str], str] = field(eq=False)
    """A whole number and the parts after it: dos y medio."""
    units: Mapping[str, str] = field(factory=dict, eq=False)

    def parts(self, count: str, above: int, below: int, *, after_whole: bool) -> str | None:
        if below not in self.one_and_more or not 0 < above < below:
            return None
        one, many = self.one_and_more[below]
        return f"{self.one} {one}" if above == 1 else f"{count} {many}"

    def between(self, before: str, above: int, below: int, after: str) -> str | None:
        if re.search(rf"\b(?:{'|'.join(self.place_words)}) $", before, re.IGNORECASE):
            return self.of if 0 < above <= below else None
        if above > below > 0 and above % below == 0:
            return self.over
        is_part = below in self.one_and_more and above < below
        return self.over if re.match(r"\s?=", after) and not is_part else None

    def of_unit(self, parts: str, unit: str, above: int, below: int, before: str) -> str:
        return self.half(unit) if (above, below) == (1, 2) else self.part_of(parts, unit)

    def mixed(self, whole: str, parts: str) -> str:
        return self.after_whole(whole, parts)
