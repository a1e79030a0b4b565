"""`vall-e plugins new`: a complete plugin to start from."""

from __future__ import annotations

from pathlib import Path

import click

from vall_e.authoring.new_plugin import KINDS, NewPlugin
from vall_e.cli.app import App
from vall_e.errors import PluginError
from vall_e.registry import Registry, normal


@click.command()
@click.argument("kind", metavar="KIND", type=click.Choice(KINDS))
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where its folder is made; else here.",
)
@click.option("--licence", default="Apache-2.0", show_default=True, help="Of the code, by SPDX.")
@click.pass_obj
def new(app: App, kind: str, name: str, folder: Path, licence: str) -> None:
    """Write a plugin that offers a component NAME: code that works, tests, README, licence, CI.

    KIND is backbone, attention, codec, sampler, task, or another that `vall-e plugins list` has.

    It is whole as it is; replace what it does by what you want, and its tests will say whether it
    still keeps the laws of its kind.
    """
    plugin = NewPlugin(kind, name, licence)
    _refuse_taken(app.registry, plugin)
    made = plugin.write(folder)
    click.echo(made)
    click.echo(f"Next: vall-e plugins install -e {made}; vall-e plugins check {name}", err=True)


def _refuse_taken(registry: Registry, plugin: NewPlugin) -> None:
    """Two plugins that offer one name are an error for whoever asks for it."""
    for offer in registry.find(plugin.kind, plugin.name):
        if normal(offer.distribution) != plugin.distribution:
            raise PluginError(
                f"{offer.distribution} offers the {plugin.kind} {plugin.name!r} already",
                hint=f"take another name: my-{plugin.name}, say",
            )
