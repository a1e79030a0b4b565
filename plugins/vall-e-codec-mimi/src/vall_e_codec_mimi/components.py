"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from vall_e.plugin import Codec, Component, hookimpl
from vall_e_codec_mimi.options import MimiConfig

vall_e_hook_api = (1, 0)


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
