"""Samplers as e-c-k-e-r/vall-e computes them: see `vall_e_samplers.legacy`. No torch here."""

from __future__ import annotations

from typing import Any

from vall_e.plugin import Component, Sampler, Trial
from vall_e_samplers.legacy_options import (
    LegacyLengthPenaltyConfig,
    LegacyMirostatConfig,
    LegacyRepetitionPenaltyConfig,
)


def build_legacy_repetition_penalty(config: LegacyRepetitionPenaltyConfig) -> Sampler:
    from vall_e_samplers.legacy import LegacyRepetitionPenalty

    return LegacyRepetitionPenalty(config)


def build_legacy_length_penalty(config: LegacyLengthPenaltyConfig) -> Sampler:
    from vall_e_samplers.legacy import LegacyLengthPenalty

    return LegacyLengthPenalty(config)


def build_legacy_mirostat(config: LegacyMirostatConfig) -> Sampler:
    from vall_e_samplers.legacy import LegacyMirostat

    return LegacyMirostat(config)


def legacy_samplers() -> list[Component[Any]]:
    return [
        Component(
            name="legacy-repetition-penalty",
            config=LegacyRepetitionPenaltyConfig,
            build=build_legacy_repetition_penalty,
            summary="repetition-penalty as in e-c-k-e-r/vall-e: each occurrence divides",
            trial=Trial(facts={"reorders": True}),
        ),
        Component(
            name="legacy-length-penalty",
            config=LegacyLengthPenaltyConfig,
            build=build_legacy_length_penalty,
            summary="length-penalty as in e-c-k-e-r/vall-e: divides the stop token's logit",
        ),
        Component(
            name="legacy-mirostat",
            config=LegacyMirostatConfig,
            build=build_legacy_mirostat,
            summary="mirostat-v1 as in e-c-k-e-r/vall-e: starts at 2 eta",
        ),
    ]
