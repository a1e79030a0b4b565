"""Write docs/cli.md: the `--help` of every built-in command.

    python tools/cli_page.py

A test fails when the page is stale.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from vall_e.cli.app import App, cli
from vall_e.discovery import discover

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
COLUMNS = 100
TOP = """\
# Command line

The `--help` of every command. This page is generated: `python tools/cli_page.py`.
"""


def page() -> str:
    """The whole page. Plugins are left out: the page is the same wherever it is made."""
    app = App(environ={}, registry=discover(load_plugins=False), load_plugins=False)
    root = _context(cli, "vall-e", None, app)
    return TOP + "".join(_section(context) for context in _walk(root))


def _context(
    command: click.Command, name: str, parent: click.Context | None, app: App
) -> click.Context:
    return click.Context(
        command,
        info_name=name,
        parent=parent,
        obj=app,
        terminal_width=COLUMNS,
        max_content_width=COLUMNS,
    )


def _walk(context: click.Context) -> Iterator[click.Context]:
    """A command and all its subcommands, in the order of the help."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from _walk(_context(command, name, context, context.obj))


def _section(context: click.Context) -> str:
    level = "##" if context.parent is None or context.parent.parent is None else "###"
    return f"\n{level} {context.command_path}\n\n```text\n{context.get_help()}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
