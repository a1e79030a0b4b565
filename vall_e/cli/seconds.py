"""A number of seconds on the command line."""

from __future__ import annotations

import math

import click


class Seconds(click.ParamType[float]):
    """Above 0 and finite: click's own float takes `nan` and `inf`."""

    name = "seconds"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not (math.isfinite(seconds) and seconds > 0):
            self.fail(f"{value!r} is not a number of seconds above 0.", param, ctx)
        return seconds
