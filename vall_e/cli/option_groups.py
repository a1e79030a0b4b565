"""Options of a command as objects, and as sections of its help text, with examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from attrs import fields

Command = Callable[..., None]


class Grouped(click.Command):
    """Its callback, decorated by `grouped`, receives an object for each group of options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        for name, group in getattr(self.callback, "groups", {}).items():
            ctx.params[name] = group(
                **{each.name: ctx.params.pop(each.name) for each in fields(group)}
            )
        return rest


class Explained(Grouped):
    """Its help text shows the options in sections, and examples.

    `sections` maps titles to names of parameters; other parameters follow under "Other options".
    `examples` are whole command lines.
    """

    def __init__(
        self,
        *args: Any,
        sections: Mapping[str, Sequence[str]] | None = None,
        examples: Sequence[str] = (),
        **settings: Any,
    ) -> None:
        super().__init__(*args, **settings)
        self.sections = sections or {}
        self.examples = examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        rows = {each.name: row for each in options if (row := each.get_help_record(ctx))}
        for title, names in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([rows.pop(name) for name in names if name in rows])
        with formatter.section("Other options" if self.sections else "Options"):
            formatter.write_dl(list(rows.values()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


def names_of(*groups: type) -> tuple[str, ...]:
    """The names of the parameters in these attrs classes."""
    return tuple(each.name for group in groups for each in fields(group))


def option(*flags: str, **settings: object) -> dict[str, object]:
    """Metadata of a field that is a click option with the field's name."""
    return {"flags": flags, "settings": settings}


def argument(**settings: object) -> dict[str, object]:
    """Metadata of a field that is a click argument."""
    return {"flags": (), "settings": settings}


def grouped(**groups: type) -> Callable[[Command], Command]:
    """Add the options of these attrs classes to a `Grouped` command, in this order.

    The keyword is the name of the command's parameter, which receives an object of the class.
    """

    def decorate(command: Command) -> Command:
        shown = command
        for group in reversed(groups.values()):
            for each in reversed(fields(group)):
                shown = _parameter(each.name, **each.metadata)(shown)
        shown.groups = groups  # type: ignore[attr-defined]  # read by `Grouped`
        return shown

    return decorate


def _parameter(
    name: str, flags: tuple[str, ...], settings: dict[str, Any]
) -> Callable[[Command], Command]:
    return click.option(*flags, name, **settings) if flags else click.argument(name, **settings)
