"""`vall-e data convert`: copy a dataset to another storage format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vall_e.cli.app import App
from vall_e.errors import DataError

if TYPE_CHECKING:
    from vall_e.interfaces.store import Info, Store, Stored


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--to", "target_store", default="folder", show_default=True, metavar="STORE",
    help="folder, hdf5, webdataset, one from a plugin, or with options: "
    "'{name: webdataset, shard_megabytes: 100}'.",
)  # fmt: skip
@click.option("--from", "source_store", metavar="STORE", help="Store of SOURCE. Default: detected.")
@click.option(
    "-c", "--config", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file with the codec of SOURCE. For e-c-k-e-r/vall-e files, which do not name it.",
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
    """Copy the dataset SOURCE to TARGET in another storage format, completely or not at all.

    Lists of similar utterances are copied too; if TARGET is a folder, so are the list of
    skipped recordings and the noise in SOURCE.
    """
    from vall_e.config.choices import StoreChoice
    from vall_e.config.component_option import choose
    from vall_e.data.convert import convert as run
    from vall_e.data.dataset.open import open_stored

    store = choose(target_store, StoreChoice, app.registry, source="--to").build()
    assumed = _assumed(app, path, overrides) if path or overrides else None
    stored: Stored
    if source_store:
        opener = choose(source_store, StoreChoice, app.registry, source="--from").build()
        stored = _opened(opener, source, assumed)
    else:
        stored = open_stored(source, app.registry, assumed=assumed)
    _require_its_codec(stored, assumed)
    done = run(stored, target, store, lambda path: open_stored(path, app.registry))
    for place, info in ((target, done.info), (target / "noise", done.noise)):
        if info:
            click.echo(
                f"{place}: {info.utterances} utterances, {info.seconds / 3600:.2f} h, "
                f"{info.speakers} speakers, codec {info.codec}"
            )
    for reason in done.left_out:
        click.echo(f"not converted: {reason}", err=True)


def _opened(store: Store, source: Path, assumed: Info | None) -> Stored:
    try:
        return store.open(source, assumed=assumed)
    except DataError as exc:
        if store.holds(source):
            raise
        raise DataError(
            f"{source} is not stored in the format given by --from: {exc.message}",
            hint="leave out --from, to detect the format",
        ) from exc


def _require_its_codec(stored: Stored, assumed: Info | None) -> None:
    """Raise `DataError` if the user gave another codec than the dataset names."""
    if assumed and assumed.codec != stored.info.codec:
        raise DataError(
            f"{stored.folder} has codes of {stored.info.codec}, but the config has {assumed.codec}",
            hint="leave out -c and --set: this dataset names its own codec",
        )


def _assumed(app: App, path: Path | None, overrides: tuple[str, ...]) -> Info:
    from vall_e.config.load import load
    from vall_e.data.dataset.open import info_of

    return info_of(load(path, app.registry, overrides=overrides, environ=app.environ))
