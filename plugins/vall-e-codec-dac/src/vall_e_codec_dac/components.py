"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from vall_e.plugin import Codec, Component, hookimpl
from vall_e_codec_dac.options import DacConfig

vall_e_hook_api = (1, 0)


def build_dac(config: DacConfig) -> Codec:
    from vall_e_codec_dac.dac import open_dac

    return open_dac(config)


@hookimpl
def vall_e_register_codecs() -> list[Component[DacConfig]]:
    return [
        Component(
            name="dac",
            config=DacConfig,
            build=build_dac,
            summary="16, 24 or 44.1 kHz, 50 to 86 frames a second; Descript's weights",
            paper="https://arxiv.org/abs/2306.06546",
            weights_license="MIT",
        )
    ]
