"""What a language needs to have its numbers and abbreviations spoken, beside num2words and CLDR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen

from vall_e.text import number_agreement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Fractions(Protocol):
    """What is said for `above/below`; see `EnglishFractions` and `TableFractions`."""

    def parts(self, count: str, above: int, below: int, *, after_whole: bool) -> str | None: ...

    def between(self, before: str, above: int, below: int, after: str) -> str | None: ...

    def of_unit(self, parts: str, unit: str, above: int, below: int, before: str) -> str: ...

    def mixed(self, whole: str, parts: str) -> str: ...

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
    before_number: Mapping[str, str] = field(factory=dict, eq=False)
    """Abbreviations that are ones only where a number follows, which is of the same sentence."""
    unit_stop: str = r"(?:\.(?=,|\s+[a-z\d]))?"
    """The dot of a unit, where it ends no sentence: 5 ft. tall."""
    unbroken: tuple[str, ...] = ()
    """Patterns within which no sentence ends, beside those of abbreviations: `& Co. KG`."""
    dotted_numbers: str = NEVER
    """Numbers with a dot that ends no sentence, where ordinals have dots."""
    starters: str = NEVER
    """After a number with a dot, words that do start a sentence."""
    in_context: tuple[tuple[str, str], ...] = ()
    """Patterns that are tried before the abbreviations, and what is said for them."""
    letters: Mapping[str, str] = field(factory=dict, eq=False)
    """Letters of the alphabet that are words as well, written so that their name is spoken."""
    letter_places: tuple[str, ...] = ()
    """Patterns of places (`LETTER`) where such a letter is no word: an A student."""
    lettered: tuple[str, ...] = ()
    """What letters tell apart: after `vitamin`, a letter is neither a word nor an initial."""
    score: str = ""
    """Between two numbers of which the second is less: 21-14."""
    numbered: tuple[str, ...] = ()
    """Things with a number, which two numbers with a hyphen are no score of: Section 3-2."""
    power: str = ""
    """Before an exponent."""
    powers: Mapping[str, str] = field(factory=dict, eq=False)
    """Exponents that have a word of their own."""
    until_before: str = NEVER
    """What follows a range of numbers, even a falling one: 22-6 Uhr."""
    with_seconds: str = "{time} {s}"
    """A time with hours and minutes, and its seconds with their unit."""
    after_time: str = ""
    """What may follow a time in figures and is no word of its own: `Uhr`, which is said anyway."""
    short_days: Mapping[str, str] = field(factory=dict, eq=False)
    """Abbreviations of days that CLDR does not have."""
    zones: str = NEVER
    """Time zones, which follow a time of the same sentence."""
    measure_before_noun: bool = False
    """Whether a measure before a noun has no plural: a twelve inch pizza."""


def with_capitals(table: Mapping[str, str]) -> dict[str, str]:
    """The table, and the same with capitals at the start of a sentence."""
    return {**{a[:1].upper() + a[1:]: b[:1].upper() + b[1:] for a, b in table.items()}, **table}
