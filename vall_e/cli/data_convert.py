"""`vall-e data convert`: a dataset from one store to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vall_e.cli.app import App

if TYPE_CHECKING:
    from vall_e.interfaces.store import Info, Stored


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--to", "target_store", default="folder", show_default=True, metavar="STORE",
    help="folder, hdf5, webdataset, a plugin's, or with options: "
    "'{name: webdataset, shard_megabytes: 100}'.",
)  # fmt: skip
@click.option(
    "--from", "source_store", metavar="STORE", help="As --to. Default: whatever SOURCE is."
)
@click.option(
    "-c", "--config", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file whose codec made SOURCE. For files of the original, which do not say.",
)  # fmt: skip
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change an option.")
@click.pass_obj
def convert(
    app: App,
    source: Path,
    target: Path,
    target_store: str,
    source_store: str | None,
    path: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Write the dataset SOURCE to TARGET in another store. TARGET appears whole or not at all."""
    from vall_e.config.choices import StoreChoice
    from vall_e.config.choosing import choose
    from vall_e.data.opening import open_stored
    from vall_e.data.stores.writing import items_of

    store = choose(target_store, StoreChoice, app.registry, source="--to").build()
    assumed = _assumed(app, path, overrides) if path or overrides else None
    stored: Stored
    if source_store:
        opener = choose(source_store, StoreChoice, app.registry, source="--from").build()
        stored = opener.open(source, assumed=assumed)
    else:
        stored = open_stored(source, app.registry, assumed=assumed)
    info = store.write(target, stored.info, items_of(stored))
    click.echo(
        f"{target}: {info.utterances} utterances, {info.seconds / 3600:.2f} h, "
        f"{info.speakers} speakers, codec {info.codec}"
    )


def _assumed(app: App, path: Path | None, overrides: tuple[str, ...]) -> Info:
    from vall_e.config.load import load
    from vall_e.data.opening import info_of

    return info_of(load(path, app.registry, overrides=overrides, environ=app.environ))
