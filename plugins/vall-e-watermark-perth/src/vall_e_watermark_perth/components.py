"""What this plugin offers. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from vall_e.plugin import AudioEffect, Component, Trial, hookimpl
from vall_e_watermark_perth.options import PerthConfig

vall_e_hook_api = (1, 3)


def build_perth(config: PerthConfig) -> AudioEffect:
    from vall_e_watermark_perth.network import find_weights, load_network
    from vall_e_watermark_perth.perth import Perth

    return Perth(config, load_network(find_weights()))


@hookimpl
def vall_e_register_audio_effects() -> list[Component[PerthConfig]]:
    return [
        Component(
            name="perth",
            config=PerthConfig,
            build=build_perth,
            summary="Resemble AI's Perth watermark, below 2 kHz; found by `vall-e provenance`",
            paper="https://github.com/resemble-ai/Perth",
            code_license="Apache-2.0",
            weights_license="MIT",
            trial=Trial(facts={"seconds": 3.0}),
        )
    ]
