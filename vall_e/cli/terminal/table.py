"""Tables on a terminal."""

from __future__ import annotations

import click


def echo_columns(table: list[list[str]]) -> None:
    """Print the rows with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        cells = (f"{cell:{width}}" for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
