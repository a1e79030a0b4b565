"""Options of the built-in phonemizers. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import frozen


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
