"""A plugin of test components: the staircase codec, so that a run needs no codec weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vall_e.plugin import Component, hookimpl
from vall_e.testing.fakes.options import StaircaseConfig

if TYPE_CHECKING:
    from vall_e.testing.fakes.staircase_codec import StaircaseCodec


def build_staircase(config: StaircaseConfig) -> StaircaseCodec:
    from vall_e.testing.fakes.staircase_codec import StaircaseCodec

    return StaircaseCodec(
        levels=config.levels,
        codebook_size=config.codebook_size,
        sample_rate=config.sample_rate,
    )


@hookimpl
def vall_e_register_codecs() -> list[Component[StaircaseConfig]]:
    return [
        Component(
            name="staircase",
            config=StaircaseConfig,
            build=build_staircase,
            summary="quantizes the mean amplitude of each frame: for tests",
        )
    ]
