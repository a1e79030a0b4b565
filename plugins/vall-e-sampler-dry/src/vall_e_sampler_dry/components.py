"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from typing import Any

from vall_e.plugin import Component, Sampler, hookimpl
from vall_e_sampler_dry.options import DryConfig, LegacyDryConfig

vall_e_hook_api = (1, 0)


def build_dry(config: DryConfig) -> Sampler:
    from vall_e_sampler_dry.dry import Dry

    return Dry(config)


def build_legacy_dry(config: LegacyDryConfig) -> Sampler:
    from vall_e_sampler_dry.legacy import LegacyDry

    return LegacyDry(config)


@hookimpl
def vall_e_register_samplers() -> list[Component[Any]]:
    return [
        Component(
            name="dry",
            config=DryConfig,
            build=build_dry,
            summary="penalizes tokens that would continue a repetition, more for longer ones",
            paper="https://github.com/oobabooga/text-generation-webui/pull/5677",
        ),
        Component(
            name="legacy-dry",
            config=LegacyDryConfig,
            build=build_legacy_dry,
            summary="dry as in e-c-k-e-r/vall-e, with its errors",
        ),
    ]
