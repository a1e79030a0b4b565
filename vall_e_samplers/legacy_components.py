"""Samplers as e-c-k-e-r/vall-e computes them: see `vall_e_samplers.legacy`. No torch here."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen, validators

from vall_e.plugin import Component, Sampler, Trial

positive = validators.gt(0.0)


@frozen
class LegacyRepetitionPenaltyConfig:
    factor: float = field(default=1.5, validator=positive)
    """Each occurrence divides the logit by this."""
    decay: float = field(default=0.0, validator=validators.ge(0.0))
    """And by the frames since then to this power."""
    window: int = field(default=75, validator=validators.ge(0))
    """So many of the last tokens are looked at; 0: all, as from November 19, 2024 on."""


@frozen
class LegacyLengthPenaltyConfig:
    factor: float = field(default=0.5)
    """The stop token's logit is divided by `(frames + 1)` to this power."""
    stop: int = -1
    """Id of the stop token; -1: the last, as in `sampling.ar`."""


@frozen
class LegacyMirostatConfig:
    tau: float = field(default=3.0, validator=positive)
    """The surprise that is aimed at, in bits a token."""
    eta: float = field(default=0.1, validator=positive)
    """How fast the limit follows; it starts at twice this."""
    size: int = field(default=1024, validator=validators.gt(1))
    """Taken for the number of tokens, whatever it is."""


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
            summary="repetition-penalty as e-c-k-e-r/vall-e has it: each occurrence divides",
            trial=Trial(facts={"reorders": True}),
        ),
        Component(
            name="legacy-length-penalty",
            config=LegacyLengthPenaltyConfig,
            build=build_legacy_length_penalty,
            summary="length-penalty as e-c-k-e-r/vall-e has it: divides the stop token's logit",
        ),
        Component(
            name="legacy-mirostat",
            config=LegacyMirostatConfig,
            build=build_legacy_mirostat,
            summary="mirostat-v1 as e-c-k-e-r/vall-e has it: starts at 2 eta",
        ),
    ]
