"""What this plugin offers. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from vall_e.plugin import Component, Normalizer, hookimpl
from vall_e_normalizer_nemo.options import NemoConfig

vall_e_hook_api = (1, 2)


def build_nemo(config: NemoConfig) -> Normalizer:
    from vall_e_normalizer_nemo.nemo import Nemo

    return Nemo(config)


@hookimpl
def vall_e_register_normalizers() -> list[Component[NemoConfig]]:
    return [
        Component(
            name="nemo",
            config=NemoConfig,
            build=build_nemo,
            summary="NVIDIA NeMo's weighted grammars (WFST), in 17 languages",
            paper="https://arxiv.org/abs/2104.05055",
            api=(1, 2),
        )
    ]
