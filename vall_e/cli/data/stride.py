"""The part of a collection that one machine of several works on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from vall_e.errors import DataError

T = TypeVar("T")


def share(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options `--stride` and `--offset`."""
    for option in (
        click.option(
            "--offset", type=click.IntRange(0), default=0, show_default=True,
            help="... from this one on, counted from 0; less than --stride.",
        ),
        click.option(
            "--stride", type=click.IntRange(1), default=1, show_default=True,
            help="Only every so many-th recording, ...",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def shared(items: Sequence[T], stride: int, offset: int) -> Sequence[T]:
    """Every so many-th of them, from that one on.

    Raises `click.UsageError` for an offset that no share has, and `DataError` if none is left.
    """
    if offset >= stride:
        raise click.UsageError(
            f"--stride {stride} has the shares 0 to {stride - 1}, so --offset {offset} is none: "
            "the first one is 0."
        )
    found = items[offset::stride]
    if items and not found:
        raise DataError(
            f"--offset {offset} leaves none of {len(items)} recordings",
            hint=f"share them out among {len(items)} at most: --stride {len(items)}",
        )
    return found
