"""What a language needs to have its numbers and abbreviations spoken, beside num2words and CLDR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen

from vall_e.text import number_agreement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Fractions(Protocol):
    """What is said for `above/below`; see `vall_e.text.fractions.EnglishFractions`."""

    def parts(self, count: str, above: int, below: int, *, after_whole: bool) -> str | None: ...

    def between(self, before: str, above: int, below: int, after: str) -> str | None: ...

    def of_unit(self, parts: str, unit: str, above: int, below: int, before: str) -> str: ...

    @property
    def units(self) -> Mapping[str, str]: ...


NEVER = r"(?!)"
SPACED = (
    r"(?<!\d)(?<!\d )(?![6-9]\d\d \d{3} \d{3}(?! ?\d))[1-9]\d{0,2}(?:[ \xa0\u202f]\d{3})+(?! ?\d)"
)
"""1 000 000, but 612 345 678 is a telephone number."""
CLOCK = r"(?<![\d:])(?P<h>[01]?\d|2[0-3]):(?P<m>[0-5]\d)(?![\d:])"

SLASHED_MONTH_FIRST = r"(?P<m>0?[1-9]|1[0-2])/(?P<d>0?[1-9]|[12]\d|3[01])/(?P<y>\d{4}|\d{2})"
SLASHED_DAY_FIRST = r"(?P<d>0?[1-9]|[12]\d|3[01])/(?P<m>0?[1-9]|1[0-2])/(?P<y>\d{4}|\d{2})"
DOTTED = r"(?P<d>0?[1-9]|[12]\d|3[01])\.\s?(?P<m>0?[1-9]|1[0-2])\.\s?(?P<y>\d{4}|\d{2})"


@frozen
class Wording:
    """The few words of a language that no library has.

    In patterns, `MONTH` stands for any of the month names.
    """

    locale: str
    """Of babel: decimal sign, months, units."""
    numbers: str
    """Of num2words."""
    point: str
    """Between the whole number and the decimals."""
    minus: str
    until: str
    """Between the ends of a range: 1939-1945."""
    joined: str
    """Between dollars and cents."""
    time: str
    """With `{h}` and `{m}`."""
    full_hour: str
    """The time if there are no minutes to say."""
    thousands: str = NEVER
    """Whole numbers with marks of thousands that CLDR does not have."""
    few_minutes: str = "{m}"
    """How minutes below ten are said."""
    time_of_day: str = CLOCK
    """A time in figures, with groups `h` and `m`; not `3:2`, which is a score."""
    half_day: str = NEVER
    """After the time, makes the words of the full hour superfluous."""
    times: tuple[tuple[str, str], ...] = ()
    """What is not as usual in a time that was written out: patterns, and what takes their place."""
    ordinals: tuple[tuple[str, str, str], ...] = ()
    """Where a number (group `n`) counts a place; group `drop` falls. Of its word, the pattern of
    endings to replace, and the new ending."""
    decades: str = NEVER
    """A number (group `n`) of years: the 1990s."""
    dates: str = NEVER
    """Dates in figures, with groups `d`, `m` and `y`, beside 2024-05-31, which is always one."""
    date: str = "{d} {month} {y}"
    units: Mapping[str, str] = field(factory=dict, eq=False)
    """What its units are called in CLDR, beside those of all languages."""
    prepare: Callable[[str], str] = str
    """Writes in figures what has numbers in another way, before anything else: ½, Henry VIII."""
    fractions: Fractions | None = None
    """Says `3/4`; without it, figures with a slash are left to the phonemizer."""
    scales: Mapping[str, tuple[str, str]] = field(factory=dict, eq=False)
    """Between an amount and its currency, as written, and as spoken of one and of many: $5M."""
    counted: Callable[[str, str], str] = number_agreement.plain
    """A number in words and the noun it counts, joined."""
    in_thousands: Callable[[str], str] = str
    """Mends the words of a number."""
    noun: Callable[[str], bool] = number_agreement.no_noun
    """Whether a word after a figure is a noun that it counts."""
    one: tuple[str, str] | None = None
    """Before a noun, masculine and feminine, if it differs from the 1 of counting."""
    feminine: frozenset[str] = frozenset()
    """The units and scales of that gender."""
    abbreviations: Mapping[str, str] = field(factory=dict, eq=False)
    """As written, dot included, and as spoken."""
    before_name: frozenset[str] = frozenset()
    """Abbreviations whose dot never ends a sentence, even if a capital follows."""
    in_context: tuple[tuple[str, str], ...] = ()
    """Patterns that are tried before the abbreviations, and what is said for them."""
