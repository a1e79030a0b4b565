"""Built-in codecs, and the command that trains the embedded one. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vall_e.plugin import Codec, Component, hookimpl
from vall_e_codecs.options import CommandConfig, EmbeddedCodecConfig, EncodecConfig, VocosConfig

if TYPE_CHECKING:
    import click

vall_e_hook_api = (1, 0)


def build_embedded(config: EmbeddedCodecConfig) -> Codec:
    from vall_e_codecs.embedded.codec import open_codec

    return open_codec(config.path)


def build_encodec(config: EncodecConfig) -> Codec:
    if config.sample_rate == 48_000:
        from vall_e_codecs.encodec_stereo import open_stereo

        return open_stereo(config)
    from vall_e_codecs.encodec import open_encodec

    return open_encodec(config)


def build_vocos(config: VocosConfig) -> Codec:
    from vall_e_codecs.vocos import open_vocos

    return open_vocos(config)


def build_command(config: CommandConfig) -> click.Command:
    from vall_e_codecs.embedded.command import codec

    return codec


@hookimpl
def vall_e_register_codecs() -> list[Component[Any]]:
    return [
        Component(
            name="embedded",
            config=EmbeddedCodecConfig,
            build=build_embedded,
            summary="24 kHz, 50 frames a second, 8 levels, 4 kbit/s; nothing to download",
            paper="https://arxiv.org/abs/2306.00814",
            weights_license="Apache-2.0",
        ),
        Component(
            name="encodec",
            config=EncodecConfig,
            build=build_encodec,
            summary="24 kHz, 75 frames a second, up to 32 levels; 48 kHz stereo; Meta's weights",
            paper="https://arxiv.org/abs/2210.13438",
            weights_license="CC-BY-NC-4.0",
        ),
        Component(
            name="vocos",
            config=VocosConfig,
            build=build_vocos,
            summary="EnCodec's codes with a better decoder; weights by charactr",
            paper="https://arxiv.org/abs/2306.00814",
            weights_license="MIT, and CC-BY-NC-4.0 for the encoder",
        ),
    ]


@hookimpl
def vall_e_register_commands() -> list[Component[CommandConfig]]:
    return [
        Component(
            name="codec",
            config=CommandConfig,
            build=build_command,
            summary="train the embedded codec; one of the commands of `vall-e codec`",
        )
    ]
