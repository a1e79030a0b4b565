"""Codecs that ship with VALL-E, and the command that makes the embedded one. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from vall_e.plugin import Codec, Component, hookimpl

if TYPE_CHECKING:
    import click


@frozen
class EmbeddedConfig:
    path: str | None = None
    """A codec file of `vall-e codec train`; left out, the codec that VALL-E carries."""


@frozen
class CommandConfig:
    """No options."""


def build_embedded(config: EmbeddedConfig) -> Codec:
    from vall_e_codecs.embedded.codec import open_codec

    return open_codec(None if config.path is None else Path(config.path))


def build_command(config: CommandConfig) -> click.Command:
    from vall_e_codecs.embedded.command import codec

    return codec


@hookimpl
def vall_e_register_codecs() -> list[Component[EmbeddedConfig]]:
    return [
        Component(
            name="embedded",
            config=EmbeddedConfig,
            build=build_embedded,
            summary="16 kHz, 50 frames a second, 8 levels, 4 kbit/s; nothing to download",
            paper="https://arxiv.org/abs/2306.00814",
        )
    ]


@hookimpl
def vall_e_register_commands() -> list[Component[CommandConfig]]:
    return [
        Component(
            name="codec",
            config=CommandConfig,
            build=build_command,
            summary="make and use the embedded codec",
        )
    ]
