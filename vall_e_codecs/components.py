"""Codecs that ship with VALL-E, and the command that makes the embedded one. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen, validators

from vall_e.plugin import Codec, Component, hookimpl

if TYPE_CHECKING:
    import click

vall_e_hook_api = (1, 0)


@frozen
class EmbeddedConfig:
    path: Path | None = None
    """A codec file of `vall-e codec train`; left out, the codec that VALL-E carries."""


@frozen
class EncodecConfig:
    path: Path | None = None
    """`encodec_24khz-d7cc33bc.th`, or `model.safetensors` of facebook/encodec_24khz (or 48)."""
    sample_rate: Literal[24000, 48000] = 24000
    """Which of the two codecs the weights are of: that for speech, or that for music in stereo."""
    levels: int = field(default=8, validator=[validators.ge(1), validators.le(32)])
    """Each is 0.75 kbit/s; at 48 kHz 1.5 kbit/s, and at most 16."""
    implementation: Literal["auto", "encodec", "transformers"] = "auto"
    """The package that runs it; `auto` takes `encodec` where it imports, else transformers."""
    download: bool = False
    """Fetch the weights from Meta's server if they are not here (93 MB, checked by SHA-256)."""
    sha256: str = ""
    """Of `encodec_48khz-7e698e3e.th`, to fetch it; that of the other file is known."""
    cache: Path | None = None
    """Folder for fetched weights; left out, `~/.cache/vall-e`."""


@frozen
class VocosConfig:
    path: Path | None = None
    """`pytorch_model.bin` of charactr/vocos-encodec-24khz."""
    encodec_path: Path | None = None
    """EnCodec's weights, as for the codec `encodec`: it is what encodes."""
    levels: int = field(default=8, validator=[validators.ge(1), validators.le(16)])
    """Each is 0.75 kbit/s."""
    implementation: Literal["auto", "vocos", "vall-e"] = "auto"
    """The code that runs it; `auto` takes the package `vocos` where it imports, else our own."""
    download: bool = False
    """Fetch the weights of both networks if they are not here; needs `revision` and `sha256`."""
    revision: str = ""
    """Commit of charactr/vocos-encodec-24khz on the Hugging Face hub."""
    sha256: str = ""
    """Of `pytorch_model.bin` at that commit."""
    cache: Path | None = None
    """Folder for fetched weights; left out, `~/.cache/vall-e`."""


@frozen
class CommandConfig:
    """No options."""


def build_embedded(config: EmbeddedConfig) -> Codec:
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
            config=EmbeddedConfig,
            build=build_embedded,
            summary="16 kHz, 50 frames a second, 8 levels, 4 kbit/s; nothing to download",
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
            summary="EnCodec's codes with a better decoder; charactr's weights",
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
            summary="make the embedded codec; among the commands of `vall-e codec`",
        )
    ]
