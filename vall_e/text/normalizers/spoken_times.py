"""Dates, times of day, durations, days and months in words; their names are CLDR's (babel)."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from vall_e.text.match_patterns import any_of, apart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vall_e.text.normalizers.spoken_amounts import SpokenAmounts

_YEAR_FIRST = r"(?P<y>\d{4})(?P<sep>[-/])(?P<m>0[1-9]|1[0-2])(?P=sep)(?P<d>[0-2]\d|3[01])"
_WITH_SECONDS = r"(?<![\d:])(?P<h>[01]?\d|2[0-3]):(?P<m>[0-5]\d):(?P<s>[0-5]\d)(?![\d:])"
_DAYS, _HOURS, _MINUTES, _SECONDS = "d", "hrs?|h", "mins?|m", "secs?|s"
_UNITS = (
    (_DAYS, "duration-day"),
    (_HOURS, "duration-hour"),
    (_MINUTES, "duration-minute"),
    (_SECONDS, "duration-second"),
)


class SpokenTimes:
    """The dates and times of one language."""

    def __init__(self, amounts: SpokenAmounts) -> None:
        self.words, self.numbers, self.amounts = amounts.words, amounts.numbers, amounts
        locale = amounts.locale
        self.months: dict[int, str] = dict(locale.months["format"]["wide"])
        self.days: dict[int, str] = dict(locale.days["format"]["wide"])
        self.short_months = _short_names(locale.months["format"])
        self.short_days = {**_short_names(locale.days["format"]), **self.words.short_days}
        self.names = {*self.months.values(), *self.days.values()}

    def name_rules(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        """Of days and months that are abbreviated, or joined by a dash."""
        day, month = any_of(self.short_days), any_of(self.short_months)
        followed = rf"(?:(?:{month}\.?|{any_of(self.names)})\s)?\d"
        for short, names in ((self.short_days, self.days), (self.short_months, self.months)):
            full = {**{name: name for name in names.values()}, **short}
            yield self._from_to(any_of(full)), self._saying_range(full)
        yield rf"\b({day})\.(?=,?\s{followed})", lambda found: self.short_days[found[1]]
        yield rf"\b({month})(?:\.(?=\s)|(?=\s\d))", lambda found: self.short_months[found[1]]

    @staticmethod
    def _from_to(name: str) -> str:
        """Close to the dash, or with dots: `May – June` may be two clauses."""
        return rf"\b(?P<first>{name})(?:\.?[-–]|\.\s[-–]\s)(?P<last>{name})\b(?P<dot>\.?)(?![-\w])"

    def rules(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        yield rf"(?<![\w/]){_YEAR_FIRST}(?![\w/])", self._date
        yield rf"(?<![\d/])(?<!\d\.){self.words.dates}(?![\d/]|\.\d)", self._date
        yield from self._durations()
        yield (
            r"(?<![\w.,:-])(\d{1,2}(?::\d\d)?)\s?[-–]\s?(?=\d{1,2}:\d\d(?![\d:]))",
            lambda found: f"{found[1]} {self.words.until} ",
        )
        yield (
            r"(?<![\w.,:-])(\d{1,2}:\d\d)\s?[-–]\s?(?=\d{1,2}(?![\d-]|[:.,]\d))",
            lambda found: f"{found[1]} {self.words.until} ",
        )
        yield _WITH_SECONDS + self.words.after_time, self._with_seconds
        yield self.words.time_of_day, self._time
        yield (
            r"(?<![\w.,:])(\d+)h(\d\d)(?!\w)",
            self._duration(["duration-hour", "duration-minute"]),
        )

    def _saying_range(self, full: dict[str, str]) -> Callable[[re.Match[str]], str]:
        def say(found: re.Match[str]) -> str:
            ends = not found.string[found.end() :].strip("\"')”’» ")
            said = f"{full[found['first']]} {self.words.until} {full[found['last']]}"
            return said + "." if ends and found["dot"] else said

        return say

    def _date(self, found: re.Match[str]) -> str:
        year, month, day = (int(found[part]) for part in "ymd")
        try:
            date(year if len(found["y"]) == 4 else 2000 + year, month, day)
        except ValueError:  # 31 February
            return found[0]
        return self.words.date.format(d=day, month=self.months[month], y=found["y"])

    def _time(self, found: re.Match[str]) -> str:
        return self._mended(self._clock(found))

    def _mended(self, said: str) -> str:
        for pattern, instead in self.words.times:
            said = re.sub(pattern, instead, said)
        return said

    def _clock(self, found: re.Match[str]) -> str:
        hours, minutes = self._hours(found), int(found["m"])
        if minutes:
            said = self.numbers.count(str(minutes))
            said = self.words.few_minutes.format(m=said) if minutes < 10 else said
            return self.words.time.format(h=hours, m=said)
        if re.match(self.words.half_day, found.string[found.end() :]):
            return hours
        return self.words.full_hour.format(h=hours)

    def _hours(self, found: re.Match[str]) -> str:
        return self.numbers.count(str(int(found["h"])))

    def _with_seconds(self, found: re.Match[str]) -> str:
        full_hour = self._mended(self.words.full_hour.format(h=self._hours(found)))
        return self.words.with_seconds.format(
            time=self._time(found) if int(found["m"]) else full_hour,
            h=full_hour,
            m=self.amounts.quantity(str(int(found["m"])), "duration-minute"),
            s=self.amounts.quantity(str(int(found["s"])), "duration-second"),
        )

    def _durations(self) -> Iterator[tuple[str, Callable[[re.Match[str]], str]]]:
        """`1h30m`, `5 min 30 s`: units that follow one another."""
        for first in range(len(_UNITS) - 1):
            shown = _UNITS[first : first + 3]
            parts = [rf"(\d+)\s?(?:{unit})" for unit, _ in shown]
            pattern = rf"{parts[0]}\s?{parts[1]}" + "".join(rf"(?:\s?{p})?" for p in parts[2:])
            names = [name for _, name in shown]
            yield rf"(?<![\w.,:]){pattern}(?!\w)", self._duration(names)

    def _duration(self, names: list[str]) -> Callable[[re.Match[str]], str]:
        def say(found: re.Match[str]) -> str:
            pairs = zip(found.groups(), names, strict=True)
            parts = [self.amounts.quantity(count, name) for count, name in pairs if count]
            return apart(found, " ".join(parts))

        return say


def _short_names(names: dict[str, dict[int, str]]) -> dict[str, str]:
    """Full names by their abbreviations without dots, where there are any."""
    short = {name.rstrip("."): names["wide"][place] for place, name in names["abbreviated"].items()}
    return {name: full for name, full in short.items() if name != full}
