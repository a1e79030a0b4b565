"""The options that say which codec a command takes, and that codec."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vall_e.cli.app import App

if TYPE_CHECKING:
    from vall_e.interfaces.codec import Codec


def chosen(command: Callable[..., None]) -> Callable[..., None]:
    """The command with these options."""
    for option in (
        click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE",
                     help="Set an option of the codec, say codec.levels=4."),
        click.option("--codec", "name", metavar="NAME", help="Else the config's, or `embedded`."),
        click.option("-c", "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                     help="YAML file whose codec counts."),
    ):  # fmt: skip
        command = option(command)
    return command


def open_codec(
    app: App, config: Path | None, name: str | None, overrides: Iterable[str], device: str
) -> Codec:
    """The codec that the options describe, on its device."""
    from vall_e.config.load import load
    from vall_e.model.device import find_device, place_codec

    named = [f"codec={name}"] if name else []
    run = load(config, app.registry, overrides=[*named, *overrides], environ=app.environ)
    return place_codec(run.codec.build(), find_device(device, option="--device"))
