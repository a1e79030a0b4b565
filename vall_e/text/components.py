"""The phonemizers of the core: their options, and how they are built."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from vall_e.registry import Component

if TYPE_CHECKING:
    from vall_e.interfaces.text import Phonemizer


@frozen
class EspeakConfig:
    """Options of `espeak`."""

    library: Path | None = None
    """Path of the espeak-ng library, or of `espeak`'s; none: the one that pip installed."""
    data: Path | None = None
    """Path of the folder `espeak-ng-data`; none: the one that belongs to the library."""
    kanji: Literal["error", "pykakasi"] = "error"
    """What to do with Japanese kanji, which espeak cannot read: refuse them, or have the package
    `pykakasi` write them in kana."""


@frozen
class PassthroughConfig:
    """Options of `none`."""

    alphabet: str = ""
    """The characters of a new vocabulary; empty: IPA, ASCII letters and digits, punctuation."""
    lowercase: bool = False
    """Write everything in small letters."""


def build_espeak(config: EspeakConfig) -> Phonemizer:
    from vall_e.text.espeak import Espeak

    return Espeak(config)


def build_passthrough(config: PassthroughConfig) -> Phonemizer:
    from vall_e.text.passthrough import Passthrough

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
