"""What this plugin offers. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen, validators

from vall_e.plugin import Component, Sampler, hookimpl

vall_e_hook_api = (1, 0)


@frozen
class DryConfig:
    """Options of `dry`."""

    multiplier: float = field(default=0.8, validator=validators.ge(0.0))
    """The penalty of a repetition that is just too long."""
    base: float = field(default=1.75, validator=validators.ge(1.0))
    """Each further token multiplies the penalty by this."""
    allowed: int = field(default=2, validator=validators.gt(0))
    """Repetitions of so many tokens, the new one among them, cost nothing."""
    longest: int = field(default=50, validator=validators.gt(0))
    """Longer repetitions count as if they were so long, which keeps penalties finite."""
    window: int = field(default=0, validator=validators.ge(0))
    """So many of the last tokens are looked at; 0: all."""


@frozen
class LegacyDryConfig:
    """Options of `legacy-dry`."""

    multiplier: float = field(default=0.8, validator=validators.ge(0.0))
    """The penalty of a repetition that is just too long."""
    base: float = field(default=1.75, validator=validators.ge(1.0))
    """Each further token multiplies the penalty by this."""
    allowed: int = field(default=2, validator=validators.gt(0))
    """Repetitions that are shorter cost nothing."""


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
            summary="makes what would lengthen a repetition less likely, the more the longer it is",
            paper="https://github.com/oobabooga/text-generation-webui/pull/5677",
        ),
        Component(
            name="legacy-dry",
            config=LegacyDryConfig,
            build=build_legacy_dry,
            summary="dry as e-c-k-e-r/vall-e has it, with its faults",
        ),
    ]
