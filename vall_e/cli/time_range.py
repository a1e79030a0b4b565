"""A number of seconds, or a part of a recording, on the command line."""

from __future__ import annotations

import math

import click


class Seconds(click.ParamType[float]):
    """Above 0, or from 0 on, and finite: click's own float takes `nan` and `inf`."""

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
            range_ = "from 0 on" if self._zero else "above 0"
            self.fail(f"{value!r} is not a number of seconds {range_}.", param, ctx)
        return seconds


class TimeRange(click.ParamType[tuple[float, float]]):
    """From one second to another: `1.2-1.9`."""

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
            self.fail(f"{value!r} is not from one second to another, like 1.2-1.9.", param, ctx)
        return start, stop
