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
    help="Folder to create the plugin's folder in. Default: here.",
)
@click.option(
    "--licence", default="Apache-2.0", show_default=True, help="Licence of the code (SPDX)."
)
@click.pass_obj
def new(app: App, kind: str, name: str, folder: Path, licence: str) -> None:
    """Create a plugin that offers a component NAME: working code, tests, README, licence, CI.

    KIND is backbone, attention, codec, sampler, task, or another shown by `vall-e plugins list`.

    The plugin is complete; replace its code with yours, and its tests check that it still follows
    the laws of its kind.
    """
    plugin = NewPlugin(kind, name, licence)
    _refuse_taken(app.registry, plugin)
    made = plugin.write(folder)
    click.echo(made)
    click.echo(f"Next: vall-e plugins install -e {made}; vall-e plugins check {name}", err=True)


def _refuse_taken(registry: Registry, plugin: NewPlugin) -> None:
    """Two plugins with the same name are an error for everyone who uses that name."""
    for offer in registry.find(plugin.kind, plugin.name):
        if normal(offer.distribution) != plugin.distribution:
            raise PluginError(
                f"{offer.distribution} already offers the {plugin.kind} {plugin.name!r}",
                hint=f"choose another name, for example my-{plugin.name}",
            )
