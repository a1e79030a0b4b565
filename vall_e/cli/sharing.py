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
        click.option("--offset", type=click.IntRange(0), default=0, help="... from this one on."),
        click.option(
            "--stride", type=click.IntRange(1), default=1, help="Only every so many-th, ..."
        ),
    ):
        command = option(command)
    return command


def shared(items: Sequence[T], stride: int, offset: int) -> Sequence[T]:
    """Every so many-th of them, from that one on. Raises `DataError` if none is left."""
    found = items[offset::stride]
    if items and not found:
        raise DataError(
            f"--offset {offset} leaves none of {len(items)} recordings",
            hint=f"count from 0 to {min(stride, len(items)) - 1}",
        )
    return found
