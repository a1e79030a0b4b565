"""`vall-e plugins new`: a complete plugin to start from."""

from __future__ import annotations

from pathlib import Path

import click

from vall_e.authoring.new_plugin import KINDS, NewPlugin


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where its folder is made; else here.",
)
@click.option("--licence", default="Apache-2.0", show_default=True, help="Of the code, by SPDX.")
def new(kind: str, name: str, folder: Path, licence: str) -> None:
    """Write a plugin that offers a component NAME: code that works, tests, README, CI.

    It is whole as it is; replace what it does by what you want, and its tests will say whether it
    still keeps the laws of its kind.
    """
    made = NewPlugin(kind, name, licence).write(folder)
    click.echo(made)
    click.echo(f"Next: vall-e plugins install -e {made}; vall-e plugins check {name}", err=True)
