"""Money and quantities in words; the names of currencies and units are CLDR's (babel)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from babel import Locale
from babel.numbers import get_currency_name
from babel.units import format_unit
from num2words import num2words

from vall_e.text.match_patterns import MINUS, SPACE, any_of, apart, range_of
from vall_e.text.normalizers.spoken_numbers import LONGEST_NAME, SpokenNumbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CURRENCIES = {
    "US$": "USD", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "C$": "CAD", "CA$": "CAD",
    "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "₹": "INR", "₩": "KRW",
}  # fmt: skip
CURRENCY_CODES = {code: code for code in ("USD", "EUR", "GBP", "JPY", "CAD", "AUD", "INR", "CHF")}
WITH_CENTS = frozenset({"USD", "EUR", "GBP"})
"""num2words has no yen in most languages, and "sen" in others."""
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
    "km³": "volume-cubic-kilometer",

    "cm³": "volume-cubic-centimeter", "m/s²": "acceleration-meter-per-square-second",
    "kcal": "energy-kilocalorie", "kJ": "energy-kilojoule", "kPa": "pressure-kilopascal",
    "hPa": "pressure-hectopascal", "mA": "electric-milliampere", "MW": "power-megawatt",
    "µm": "length-micrometer", "μm": "length-micrometer", "nm": "length-nanometer",
    "µg": "mass-microgram", "μg": "mass-microgram", "Ω": "electric-ohm",
}  # fmt: skip
FRACTIONS_OF_UNITS = "0.########"
"""How CLDR is to write the number of a quantity."""


class SpokenAmounts:
    """The money and the quantities of one language."""

    def __init__(self, numbers: SpokenNumbers) -> None:
        self.words, self.numbers = numbers.words, numbers
        self.locale = Locale.parse(self.words.locale)
        self.units = {**UNITS, **self.words.units}

    def unit_pattern(self) -> str:
        """A lone `s` needs its space: 1990s is a decade."""
        return rf"(?:{any_of(self.units.keys() - {'s'})}|(?<=[\s\xa0])s)"

    def stop_pattern(self) -> str:
        """What follows a unit, with its dot where that ends no sentence: 5 ft. tall."""
        return rf"(?![\w²³/]){self.words.unit_stop}"

    def rules(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        number, unit = self.numbers.pattern(), self.unit_pattern()
        currency = rf"(?:{any_of(CURRENCIES)}|(?<![^\W\d_]){any_of(CURRENCY_CODES)}(?![^\W\d_]))"
        scale = rf"(?:{SPACE}(?P<s>{any_of(self.words.scales)})(?!\w))?"
        sign = r"(?P<sign>[-−])?"
        amount = rf"{range_of(number, '', '(?:(?P=c))?')}{scale}"
        yield rf"{MINUS}(?P<c>{currency})\s?{sign}{amount}", self._money
        amount = rf"{range_of(number, f'(?:{SPACE}{currency})?')}{scale}"
        yield rf"{MINUS}{amount}{SPACE}(?P<c>{currency})", self._money
        words = any_of(scale for scale, said in self.words.scales.items() if scale in said)
        of_unit = rf"{SPACE}(?P<s>{words}) (?P<u>{unit}){self.stop_pattern()}"
        yield rf"{MINUS}(?P<n>{number}){of_unit}", self._millions
        amount = range_of(number, f"(?:{SPACE}{unit})?")
        yield rf"{MINUS}{amount}{SPACE}(?P<u>{unit}){self.stop_pattern()}", self._quantity

    def unit(self, count: float, unit: str) -> str:
        """The name of a CLDR unit, without the number."""
        said = format_unit(count, unit, locale=self.locale, format=FRACTIONS_OF_UNITS)
        return self.numbers.figures().sub("", said).strip()

    def quantity(self, figures: str, unit: str) -> str:
        """A number and a CLDR unit in words."""
        value = self.numbers.value(figures)
        like = float(min(value, Decimal(10**LONGEST_NAME - 1)))  # babel overflows
        said = format_unit(like, unit, locale=self.locale, format=FRACTIONS_OF_UNITS)
        pattern = self.numbers.figures()
        name = pattern.sub("", said).strip()
        number = self.numbers.before_noun(value, name)
        if not pattern.match(said):
            return pattern.sub(lambda _: number, said, count=1)
        return f"{number} {name}" if value == 1 else self.words.counted(number, name)

    def _quantity(self, found: re.Match[str]) -> str:
        minus = f"{self.words.minus} " if found["minus"] else ""
        first = ""
        if found["f"]:
            lower = self.numbers.cardinal(self.numbers.value(found["f"]))
            first = f"{lower} {self.words.until} "
        return apart(found, minus + first + self.quantity(found["n"], self.units[found["u"]]))

    def _millions(self, found: re.Match[str]) -> str:
        minus = f"{self.words.minus} " if found["minus"] else ""
        value = self.numbers.value(found["n"])
        scale = self._scale(found["s"], value)
        number = f"{self.numbers.before_noun(value, scale)} {scale}"
        return minus + self.words.counted(number, self.unit(2, self.units[found["u"]]))

    def _money(self, found: re.Match[str]) -> str:
        code, amount, scale = (CURRENCIES | CURRENCY_CODES)[found["c"]], found["n"], found["s"]
        first = f"{self._lower_end(found['f'], code)} {self.words.until} " if found["f"] else ""
        signed = found["minus"] or found.groupdict().get("sign")
        minus = f"{self.words.minus} " if signed else ""
        return apart(found, minus + first + self._sum(self.numbers.value(amount), code, scale))

    def _sum(self, value: Decimal, code: str, scale: str | None) -> str:
        if scale or not self._has_cents(value, code):
            scale = self._scale(scale, value)
            name = get_currency_name(code, 2 if scale else value, locale=self.locale)
            number = self.numbers.before_noun(value, scale or name)
            return self.words.counted(f"{number} {scale}" if scale else number, name)
        if value and value % 10**6 == 0:
            name = get_currency_name(code, value, locale=self.locale)
            return self.words.counted(self.numbers.cardinal(value), name)
        return self._dollars_and_cents(value, code)

    def _lower_end(self, figures: str, code: str) -> str:
        """Where a range of money starts: the currency is named there only if it has cents."""
        value = self.numbers.value(figures)
        cents = value != int(value) and self._has_cents(value, code)
        return self._dollars_and_cents(value, code) if cents else self.numbers.cardinal(value)

    def _scale(self, written: str | None, value: Decimal) -> str:
        if written is None:
            return ""
        one, many = self.words.scales[written]
        return one if value == 1 else many

    @staticmethod
    def _has_cents(value: Decimal, code: str) -> bool:
        plain = value < 10**LONGEST_NAME
        return plain and value == round(value, 2) and code in WITH_CENTS

    def _dollars_and_cents(self, value: Decimal, code: str) -> str:
        said = num2words(
            f"{value:.2f}", lang=self.words.numbers, to="currency", currency=code, separator="|"
        )
        whole, _, cents = said.replace(",", "").partition("|")
        if value == int(value):
            return str(whole)
        return f"{whole} {self.words.joined} {cents.strip()}" if value >= 1 else str(cents.strip())
