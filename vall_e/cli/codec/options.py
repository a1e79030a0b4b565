"""The options that choose a command's codec."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import field, frozen

from vall_e.cli.app import App
from vall_e.cli.option_groups import option

if TYPE_CHECKING:
    from vall_e.interfaces.codec import Codec


@frozen
class CodecOption:
    """The codec of a config, or a codec given by name."""

    config: Path | None = field(
        metadata=option(
            "-c",
            "--config",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="YAML file whose codec is used.",
        )
    )
    name: str | None = field(
        metadata=option("--codec", metavar="NAME", help="Default: the config's, or `embedded`.")
    )
    overrides: tuple[str, ...] = field(
        metadata=option(
            "--set",
            multiple=True,
            metavar="KEY=VALUE",
            help="Set an option of the codec, as in codec.levels=4.",
        )
    )

    def open(self, app: App, device: str) -> Codec:
        """Load the codec that the options describe, on the device."""
        from vall_e.config.load import load
        from vall_e.device import find_device, place_codec

        named = [f"codec={self.name}"] if self.name else []
        overrides = [*named, *self.overrides]
        run = load(self.config, app.registry, overrides=overrides, environ=app.environ)
        return place_codec(run.codec.build(), find_device(device, option="--device"))
