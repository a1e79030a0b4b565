"""Options for sharing work among several machines."""

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
            help="... starting with this one, counted from 0; less than --stride.",
        ),
        click.option(
            "--stride", type=click.IntRange(1), default=1, show_default=True,
            help="Use only every N-th recording, ...",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def shared(items: Sequence[T], stride: int, offset: int) -> Sequence[T]:
    """Every `stride`-th of the items, starting at `offset`.

    Raises `click.UsageError` if the offset is not below the stride, `DataError` if no item is left.
    """
    if offset >= stride:
        raise click.UsageError(
            f"--stride {stride} needs an --offset from 0 to {stride - 1}, not {offset}."
        )
    found = items[offset::stride]
    if items and not found:
        raise DataError(
            f"--offset {offset} is too large for {len(items)} recordings: none are left",
            hint=f"use at most as many shares as recordings: --stride {len(items)}",
        )
    return found
