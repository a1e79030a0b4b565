"""Numbers, dates, money, units and abbreviations written out as they are spoken.

The words of numbers are num2words', those of months, units and currencies CLDR's (babel). Languages
without a `Wording` are left to the phonemizer: espeak speaks the numbers of most.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from babel import Locale
from babel.numbers import get_currency_name, get_decimal_symbol, get_group_symbol
from babel.units import format_unit
from num2words import num2words

from vall_e.text.fractions import FRACTION
from vall_e.text.wordings.lookup import wording
from vall_e.text.wordings.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vall_e.text.wordings.wording import Fractions

CURRENCIES = {
    "US$": "USD", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "C$": "CAD", "CA$": "CAD",
    "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "₹": "INR", "₩": "KRW",
}  # fmt: skip
CURRENCY_CODES = {code: code for code in ("USD", "EUR", "GBP", "JPY", "CAD", "AUD", "INR", "CHF")}
UNITS = {
    "%": "concentr-percent", "°C": "temperature-celsius", "°F": "temperature-fahrenheit",
    "km/h": "speed-kilometer-per-hour", "mph": "speed-mile-per-hour",
    "m/s": "speed-meter-per-second", "km": "length-kilometer", "m": "length-meter",
    "cm": "length-centimeter", "mm": "length-millimeter", "ft": "length-foot",
    "kg": "mass-kilogram", "g": "mass-gram", "mg": "mass-milligram", "lb": "mass-pound",
    "lbs": "mass-pound", "oz": "mass-ounce", "l": "volume-liter", "L": "volume-liter",
    "ml": "volume-milliliter", "mL": "volume-milliliter", "km²": "area-square-kilometer",
    "m²": "area-square-meter", "ha": "area-hectare", "ms": "duration-millisecond",
    "Hz": "frequency-hertz", "kHz": "frequency-kilohertz", "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz", "W": "power-watt", "kW": "power-kilowatt",
    "h": "duration-hour", "hr": "duration-hour", "hrs": "duration-hour", "min": "duration-minute",
    "kWh": "energy-kilowatt-hour", "V": "electric-volt", "KB": "digital-kilobyte",
    "MB": "digital-megabyte", "GB": "digital-gigabyte", "TB": "digital-terabyte",
    "kB": "digital-kilobyte", "cm²": "area-square-centimeter", "m³": "volume-cubic-meter",
    "cm³": "volume-cubic-centimeter", "m/s²": "acceleration-meter-per-square-second",
    "kcal": "energy-kilocalorie", "kJ": "energy-kilojoule", "kPa": "pressure-kilopascal",
    "hPa": "pressure-hectopascal", "mA": "electric-milliampere", "MW": "power-megawatt",
    "µm": "length-micrometer", "μm": "length-micrometer", "nm": "length-nanometer",
    "µg": "mass-microgram", "μg": "mass-microgram", "Ω": "electric-ohm",
}  # fmt: skip
SHOUTED_WORDS = 4
"""A text of so many words all in capitals is a transcript in capitals, not a row of acronyms."""
LONGEST_NUMBER = 15
"""More digits than this are read one by one, as are those of a number that starts with 0."""
YEARS = range(1100, 2100)
MINUS = r"(?:(?<![\w.,%°$€£¥])(?P<minus>[-−–]))?"  # not a hyphen, not a dash between


def normalize(text: str, language: str) -> str:
    """The text with its figures in words, if the language has a `Wording`; else in 0 to 9."""
    text = "".join(str(int(char)) if char.isdecimal() else char for char in text)
    words = wording(language)
    return text if words is None else _speaker(words).write_out(text)


@lru_cache
def _speaker(words: Wording) -> _Speaker:
    return _Speaker(words)


class _Speaker:
    """The rules of one language, with their patterns compiled."""

    def __init__(self, words: Wording) -> None:
        self.words = words
        self.locale = Locale.parse(words.locale)
        self.units = {**UNITS, **words.units}
        self.months: dict[int, str] = dict(self.locale.months["format"]["wide"])
        self.point = get_decimal_symbol(self.locale)
        self.rules = [(re.compile(pattern), say) for pattern, say in self._rules()]

    def write_out(self, text: str) -> str:
        if text.isupper() and len(text.split()) >= SHOUTED_WORDS:
            text = text.lower()
        text = self.words.prepare(text)
        for pattern, say in self.rules:
            text = pattern.sub(say, text)
        return text

    def _rules(self) -> Iterable[tuple[str, Callable[[re.Match[str]], str]]]:
        """In order: what one rule writes out is not seen by the next."""
        words, number = self.words, self._number_pattern()
        currency = rf"(?:{_any_of(CURRENCIES)}|(?<![^\W\d_]){_any_of(CURRENCY_CODES)}(?![^\W\d_]))"
        unit = self._unit_pattern()
        scale = rf"(?:[ \xa0\u202f]?(?P<s>{_any_of(words.scales)})(?!\w))?"
        space = r"[ \xa0\u202f]?"
        for pattern, said in words.in_context:
            yield pattern, _saying(said)
        yield rf"(?<!\w){_any_of(words.abbreviations)}(?!\w)", self._abbreviation
        yield self._short_month_pattern(), self._short_month
        yield r"\b(?:[A-Z]\.){2,}", self._acronym
        yield r"\b([A-HJ-Z])\.(?=\s?[A-Z])", lambda found: found[1]  # an initial; I. is a word
        year_first = r"(?P<y>\d{4})(?P<sep>[-/])(?P<m>0[1-9]|1[0-2])(?P=sep)(?P<d>[0-2]\d|3[01])"
        yield rf"(?<![\w/]){year_first}(?![\w/])", self._date
        yield rf"(?<![\d/])(?<!\d\.){words.dates}(?![\d/]|\.\d)", self._date
        yield words.time_of_day, self._time
        stop = r"(?![\w²³/])(?:\.(?=,|\s+[a-z]))?"  # a dot that ends no sentence: 5 ft. tall
        if words.fractions:
            part_of = rf"(?:{unit}|{_any_of(words.fractions.units)})"
            yield rf"{FRACTION}(?:{space}(?P<u>{part_of}){stop})?", self._fraction
        sign = r"(?P<sign>[-−])?"
        amount = rf"{_range_of(number, '', '(?:(?P=c))?')}{scale}"
        yield rf"{MINUS}(?P<c>{currency})\s?{sign}{amount}", self._money
        amount = rf"{_range_of(number, f'(?:{space}{currency})?')}{scale}"
        yield rf"{MINUS}{amount}{space}(?P<c>{currency})", self._money
        amount = _range_of(number, f"(?:{space}{unit})?")
        yield rf"{MINUS}{amount}{space}(?P<u>{unit}){stop}", self._quantity
        for pattern, old, new in words.ordinals:
            where = pattern.replace("MONTH", _any_of(self.months.values()))
            yield where, self._ordinal(old, new)
        yield words.decades, self._decade
        octet = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
        yield rf"(?<![\d.]){octet}(?:\.{octet}){{3}}(?!\.?\d)", self._version
        yield rf"(?<!\d)(?!{number}(?!\.?\d))\d+(?:\.\d+){{2,}}(?!\d)", self._version
        yield r"(?<![\w.,])\+?\d+(?:[-–]\d+){2,}(?![\w-])", self._telephone
        yield r"(?<![\w.,])(?:\d{1,3} )?\d{3} \d{3} \d{4}(?![\w-])", self._telephone
        yield r"\((?P<area>\d{3})\)(?=\s?\d)", lambda found: self._digits(found["area"]) + ","
        yield r"(?<![\w.,-])(\d+)\s?[-–]\s?(\d+)(?![\w-])", self._range
        yield rf"(?<![\w.,])[-−](?={number})", _saying(words.minus + " ")
        yield rf"(?P<n>{number})(?P<gap> )(?P<noun>[^\W\d_]+)", self._counted
        yield number, lambda found: _apart(found, self._count(found[0]))

    def _number_pattern(self) -> str:
        """1,234.5 in English, 1.234,5 in German, 1 234,5 in French."""
        group = get_group_symbol(self.locale)
        group = "[ \xa0\u202f]" if group.isspace() else re.escape(group)
        point = re.escape(self.point)
        whole = rf"(?:{self.words.thousands}|\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d+)"
        return rf"(?:{whole}(?:{point}\d+)?|(?<![\w.,]){point}\d+)"

    def _unit_pattern(self) -> str:
        """A lone `s` needs its space: 1990s is a decade."""
        return rf"(?:{_any_of(self.units.keys() - {'s'})}|(?<=[\s\xa0])s)"

    def _short_month_pattern(self) -> str:
        short = {name.rstrip(".") for name in self._short_months()}
        return rf"\b({_any_of(short)})(?:\.(?=\s)|(?=\s\d))"

    def _short_months(self) -> dict[str, str]:
        short = self.locale.months["format"]["abbreviated"]
        named = {name.rstrip("."): self.months[number] for number, name in short.items()}
        return {short: name for short, name in named.items() if short != name}

    # What is said for a match.

    def _abbreviation(self, found: re.Match[str]) -> str:
        written = found[0]
        said = self.words.abbreviations[written]
        rest = found.string[found.end() :].lstrip("\"')”’»")
        ends = not rest or (written not in self.words.before_name and re.match(r"\s+[A-Z]", rest))
        return said + "." if written.endswith(".") and ends else said

    def _short_month(self, found: re.Match[str]) -> str:
        return self._short_months()[found[1]]

    def _acronym(self, found: re.Match[str]) -> str:
        ends = not found.string[found.end() :].strip("\"')”’» ")
        return " ".join(found[0].replace(".", "")) + ("." if ends else "")

    def _date(self, found: re.Match[str]) -> str:
        year, month, day = (int(found[part]) for part in "ymd")
        try:
            date(year if len(found["y"]) == 4 else 2000 + year, month, day)
        except ValueError:  # 31 February
            return found[0]
        return self.words.date.format(d=day, month=self.months[month], y=found["y"])

    def _time(self, found: re.Match[str]) -> str:
        said = self._clock(found)
        for pattern, instead in self.words.times:
            said = re.sub(pattern, instead, said)
        return said

    def _clock(self, found: re.Match[str]) -> str:
        hours, minutes = self._count(str(int(found["h"]))), int(found["m"])
        if minutes:
            said = self._count(str(minutes))
            said = self.words.few_minutes.format(m=said) if minutes < 10 else said
            return self.words.time.format(h=hours, m=said)
        if re.match(self.words.half_day, found.string[found.end() :]):
            return hours
        return self.words.full_hour.format(h=hours)

    def _fraction(self, found: re.Match[str]) -> str:
        """A fraction, or two numbers: 24/7."""
        whole, unit, parts = found["w"] or "", found["u"], self._parts(found)
        if unit and parts and not whole and self.words.fractions:
            return self._part_of_unit(found, parts, self.words.fractions)
        said = parts or f"{self._count(found['n'])} {self._count(found['d'])}"
        if whole:
            said = f"{self._count(whole)} {said}"
        if not unit:
            return said
        # One written out stays as it is: a 2 1/2 inch pipe.
        return f"{said} {self._unit(2, self.units[unit]) if unit in self.units else unit}"

    def _part_of_unit(self, found: re.Match[str], parts: str, said: Fractions) -> str:
        one = self._unit(1, {**self.units, **said.units}[found["u"]])
        before = found.string[: found.start()]
        return said.of_unit(parts, one, int(found["n"]), int(found["d"]), before)

    def _parts(self, found: re.Match[str]) -> str | None:
        """Both numbers with what joins them; none where nothing does."""
        said, longest = self.words.fractions, max(len(found["n"]), len(found["d"]))
        if said is None or longest > LONGEST_NUMBER:
            return None
        above, below, count = int(found["n"]), int(found["d"]), self._count(found["n"])
        if not (found["w"] or found["u"]):
            before, after = found.string[: found.start()], found.string[found.end() :]
            between = said.between(before, above, below, after)
            if between is not None:
                return f"{count} {between} {self._count(found['d'])}".replace("  ", " ")
        return said.parts(count, above, below, after_whole=bool(found["w"]))

    def _unit(self, count: float, unit: str) -> str:
        """The name of a unit, without the number."""
        said = format_unit(count, unit, locale=self.locale, format="0.########")
        return self._figures().sub("", said).strip()

    def _figures(self) -> re.Pattern[str]:
        return re.compile(rf"\d+(?:{re.escape(self.point)}\d+)?")

    def _money(self, found: re.Match[str]) -> str:
        code, amount, scale = (CURRENCIES | CURRENCY_CODES)[found["c"]], found["n"], found["s"]
        first = f"{self._amount(found['f'], code)} {self.words.until} " if found["f"] else ""
        signed = found["minus"] or found.groupdict().get("sign")
        minus = f"{self.words.minus} " if signed else ""
        value = self._value(amount)
        if scale or not self._has_cents(value, code):
            scale = self._scale(scale, value)
            name = get_currency_name(code, 2 if scale else value, locale=self.locale)
            number = self._one_or_more(value, scale or name)
            said = self.words.counted(f"{number} {scale}" if scale else number, name)
        elif value and value % 10**6 == 0:
            name = get_currency_name(code, value, locale=self.locale)
            said = self.words.counted(self._cardinal(value), name)
        else:
            said = self._dollars_and_cents(value, code)
        return _apart(found, minus + first + said)

    def _amount(self, figures: str, code: str) -> str:
        """Where a range of money starts: the currency is named there only if it has cents."""
        value = self._value(figures)
        cents = value != int(value) and self._has_cents(value, code)
        return self._dollars_and_cents(value, code) if cents else self._cardinal(value)

    def _scale(self, written: str | None, value: Decimal) -> str:
        if written is None:
            return ""
        one, many = self.words.scales[written]
        return one if value == 1 else many

    def _has_cents(self, value: Decimal, code: str) -> bool:
        plain = value < 10**LONGEST_NUMBER
        return plain and value == round(value, 2) and code in self._with_cents()

    def _with_cents(self) -> frozenset[str]:
        # num2words has no yen in most languages, and "sen" in others.
        return frozenset({"USD", "EUR", "GBP"})

    def _dollars_and_cents(self, value: Decimal, code: str) -> str:
        said = num2words(
            f"{value:.2f}", lang=self.words.numbers, to="currency", currency=code, separator="|"
        )
        whole, _, cents = said.replace(",", "").partition("|")
        if value == int(value):
            return str(whole)
        return f"{whole} {self.words.joined} {cents.strip()}" if value >= 1 else str(cents.strip())

    def _quantity(self, found: re.Match[str]) -> str:
        value = self._value(found["n"])
        minus = f"{self.words.minus} " if found["minus"] else ""
        first = found["f"] and f"{self._cardinal(self._value(found['f']))} {self.words.until} "
        like = float(min(value, 10**LONGEST_NUMBER - 1))  # babel overflows
        said = format_unit(like, self.units[found["u"]], locale=self.locale, format="0.########")
        figures = self._figures()
        name = figures.sub("", said).strip()
        if figures.match(said):
            return _apart(found, minus + (first or "") + self._quantified(value, name))
        number = self._one_or_more(value, name)
        return _apart(found, minus + (first or "") + figures.sub(lambda _: number, said, count=1))

    def _quantified(self, value: Decimal, name: str) -> str:
        number = self._one_or_more(value, name)
        return f"{number} {name}" if value == 1 else self.words.counted(number, name)

    def _counted(self, found: re.Match[str]) -> str:
        number, noun = self._count(found["n"]), found["noun"]
        if self.words.noun(noun):
            return _apart(found, self.words.counted(number, noun))
        return _apart(found, f"{number} {noun}")

    def _one_or_more(self, value: Decimal, what: str) -> str:
        """The number as it stands before a noun: `ein Kilogramm`, not `eins Kilogramm`."""
        if value != 1 or not self.words.one:
            return self._cardinal(value)
        masculine, feminine = self.words.one
        return feminine if re.split(r"\W", what)[0] in self.words.feminine else masculine

    def _ordinal(self, old: str, new: str) -> Callable[[re.Match[str]], str]:
        def say(found: re.Match[str]) -> str:
            figures = found["n"].replace(",", "")
            if len(figures) > LONGEST_NUMBER:
                return found[0]
            number = _plain(num2words(int(figures), lang=self.words.numbers, to="ordinal"))
            number = re.sub(old, new, number)
            before = found[0][: found.start("n") - found.start()]
            dropped = found.groupdict().get("drop") or ""
            after = found[0][found.end("n") - found.start() + len(dropped) :]
            return f"{before}{number}{after}"

        return say

    def _decade(self, found: re.Match[str]) -> str:
        said = self._count(found["n"])
        if not found[0].endswith("s"):  # an ending that is not English follows
            return said
        return said[:-1] + "ies" if said.endswith("y") else said + "s"

    def _version(self, found: re.Match[str]) -> str:
        return _apart(found, f" {self.words.point} ".join(map(self._count, found[0].split("."))))

    def _range(self, found: re.Match[str]) -> str:
        first, last = found[1], found[2]
        rising = len(first) == len(last) and first < last
        if rising or (len(first), len(last)) == (4, 2):
            return f"{self._count(first)} {self.words.until} {self._count(last)}"
        return f"{self._digits(first)}, {self._digits(last)}"  # a telephone number, say

    def _telephone(self, found: re.Match[str]) -> str:
        return ", ".join(map(self._digits, re.findall(r"\d+", found[0])))

    # Numbers.

    def _value(self, figures: str) -> Decimal:
        return Decimal(
            "".join(c for c in figures.replace(self.point, "@") if c in "0123456789@").replace(
                "@", "."
            )
        )

    def _count(self, figures: str) -> str:
        """A number as written: a year, an amount, or digits."""
        if figures.isdigit() and len(figures) == 4 and int(figures) in YEARS:
            return _plain(num2words(int(figures), lang=self.words.numbers, to="year"))
        if figures.isdigit() and (
            len(figures) > LONGEST_NUMBER or (len(figures) > 1 and figures.startswith("0"))
        ):
            return self._digits(figures)
        return self._cardinal(self._value(figures))

    def _cardinal(self, value: Decimal) -> str:
        # num2words' own decimals differ by language, and are lost in some.
        whole, _, decimals = f"{value:f}".partition(".")
        long = len(whole) > LONGEST_NUMBER
        said = (
            self._digits(whole) if long else _plain(num2words(int(whole), lang=self.words.numbers))
        )
        said = self.words.in_thousands(said)
        return f"{said} {self.words.point} {self._digits(decimals)}" if decimals else said

    def _digits(self, figures: str) -> str:
        return " ".join(_plain(num2words(int(digit), lang=self.words.numbers)) for digit in figures)


def _saying(said: str) -> Callable[[re.Match[str]], str]:
    return lambda _: said


def _plain(said: str) -> str:
    return said.replace(",", "")  # "one thousand, two hundred" would be read with a pause


def _any_of(written: Iterable[str]) -> str:
    """A pattern; the longest first, so that `km/h` is not taken for `km`."""
    longest_first = sorted(written, key=lambda each: (-len(each), each))
    return "(?:" + "|".join(map(re.escape, longest_first)) + ")" if longest_first else "(?!)"


def _range_of(number: str, after_first: str, before_last: str = "") -> str:
    """A pattern of a number (`n`) that may be the end of a range (from `f`): 5-10."""
    first = rf"(?<![\w.,])(?<!\w-)(?P<f>{number}){after_first}\s?[-–]\s?{before_last}"
    return rf"(?:{first})?(?P<n>{number})"


def _apart(found: re.Match[str], said: str) -> str:
    """With a space where a letter touches the number: B2B, 3pm."""
    before = found.string[: found.start()][-1:].isalpha()
    after = found.string[found.end() :][:1].isalpha()
    return f"{' ' * before}{said}{' ' * after}"
