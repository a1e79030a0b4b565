"""What this plugin offers. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen, validators

from vall_e.plugin import Codec, Component, hookimpl

vall_e_hook_api = (1, 0)


@frozen
class MimiConfig:
    """Options of `mimi`."""

    path: Path | None = None
    """`model.safetensors` of kyutai/mimi on the Hugging Face hub."""
    levels: int = field(default=8, validator=[validators.ge(1), validators.le(32)])
    """Each is 137.5 bit/s; the first one is for what is said, the others are for how it sounds."""
    download: bool = False
    """Fetch the weights if they are not here; needs `revision` and `sha256`."""
    revision: str = ""
    """Commit of kyutai/mimi on the Hugging Face hub."""
    sha256: str = ""
    """Of `model.safetensors` at that commit."""
    cache: Path | None = None
    """Folder for fetched weights; left out, `~/.cache/vall-e`."""


def build_mimi(config: MimiConfig) -> Codec:
    from vall_e_codec_mimi.mimi import open_mimi

    return open_mimi(config)


@hookimpl
def vall_e_register_codecs() -> list[Component[MimiConfig]]:
    return [
        Component(
            name="mimi",
            config=MimiConfig,
            build=build_mimi,
            summary="24 kHz, 12.5 frames a second, up to 32 levels, streams; Kyutai's weights",
            paper="https://arxiv.org/abs/2410.00037",
            weights_license="CC-BY-4.0",
        )
    ]
