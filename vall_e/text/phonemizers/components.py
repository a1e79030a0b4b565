"""The phonemizers of the core: their options, and how they are built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vall_e.registry import Component
from vall_e.text.phonemizers.options import EspeakConfig, PassthroughConfig

if TYPE_CHECKING:
    from vall_e.interfaces.text import Phonemizer


def build_espeak(config: EspeakConfig) -> Phonemizer:
    from vall_e.text.phonemizers.espeak import Espeak

    return Espeak(config)


def build_passthrough(config: PassthroughConfig) -> Phonemizer:
    from vall_e.text.phonemizers.passthrough import Passthrough

    return Passthrough(config)


PHONEMIZERS: list[Component[Any]] = [
    Component(
        name="espeak",
        config=EspeakConfig,
        build=build_espeak,
        summary="espeak-ng through phonemizer: IPA with stress, over a hundred languages",
        paper="https://doi.org/10.21105/joss.03958",
        code_license="GPL-3.0-or-later",
    ),
    Component(
        name="none",
        config=PassthroughConfig,
        build=build_passthrough,
        summary="characters as they are, or phonemes made elsewhere; any language",
    ),
]
