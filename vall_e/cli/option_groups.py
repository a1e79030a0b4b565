"""Options of a command as objects: an attrs class for each group of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from attrs import fields

Command = Callable[..., None]


def option(*flags: str, **settings: object) -> dict[str, object]:
    """The metadata of a field that is a click option, which has the field's name."""
    return {"flags": flags, "settings": settings}


def argument(**settings: object) -> dict[str, object]:
    """The metadata of a field that is a click argument."""
    return {"flags": (), "settings": settings}


def grouped(**groups: type) -> Callable[[Command], Command]:
    """Give a command the options of these attrs classes, and it gets an object of each.

    The keyword is the name of the command's parameter. They are shown in this order.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(*args: object, **values: object) -> None:
            made = {
                name: group(**{each.name: values.pop(each.name) for each in fields(group)})
                for name, group in groups.items()
            }
            command(*args, **made, **values)

        shown: Command = call
        for group in reversed(groups.values()):
            for each in reversed(fields(group)):
                shown = _parameter(each.name, **each.metadata)(shown)
        return shown

    return decorate


def _parameter(
    name: str, flags: tuple[str, ...], settings: dict[str, Any]
) -> Callable[[Command], Command]:
    return click.option(*flags, name, **settings) if flags else click.argument(name, **settings)
