"""Seconds, or a part of a recording, as values of options."""

from __future__ import annotations

import math

import click


class Seconds(click.ParamType[float]):
    """Over 0, or at least 0, and finite: click's own float accepts `nan` and `inf`."""

    name = "seconds"

    def __init__(self, *, zero: bool = False) -> None:
        self._zero = zero

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not (math.isfinite(seconds) and (seconds > 0 or (self._zero and seconds == 0))):
            range_ = "of at least 0" if self._zero else "over 0"
            self.fail(f"{value!r} is not a number of seconds {range_}.", param, ctx)
        return seconds


class TimeRange(click.ParamType[tuple[float, float]]):
    """A range of seconds: `1.2-1.9`."""

    name = "span"

    def convert(
        self,
        value: str | tuple[float, float],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[float, float]:
        if isinstance(value, tuple):
            return value
        try:
            start, stop = map(float, value.split("-"))
        except ValueError:
            start = stop = math.nan
        if not 0 <= start <= stop < math.inf:
            self.fail(f"{value!r} is not a range of seconds like 1.2-1.9.", param, ctx)
        return start, stop
