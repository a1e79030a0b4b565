"""Numbers on the command line that are finite: click's own ranges accept `nan`, and often `inf`."""

from __future__ import annotations

import math

import click


class FiniteRange(click.FloatRange):
    """As `click.FloatRange`, without NaN and infinity."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        # A text, whatever click's type says of it.
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number
