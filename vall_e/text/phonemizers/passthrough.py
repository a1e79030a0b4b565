"""The phonemizer `none`: characters, or phonemes made elsewhere, go to the model as they are."""

from __future__ import annotations

import string
import unicodedata
from typing import TYPE_CHECKING

from vall_e.text.ipa import IPA
from vall_e.text.punctuation import MARKS, unify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vall_e.text.phonemizers.options import PassthroughConfig

READABLE = string.ascii_letters + string.digits + "'\"()-"


class Passthrough:
    """Changes white space, punctuation and Unicode form (NFD), nothing else."""

    languages: Sequence[str] = ()  # every code

    def __init__(self, config: PassthroughConfig) -> None:
        self._config = config

    def __call__(self, text: str, language: str) -> str:
        """`language` changes nothing."""
        text = unicodedata.normalize("NFD", unify(text))
        return text.lower() if self._config.lowercase else text

    def alphabet(self) -> list[str]:
        chars = self._config.alphabet or IPA + READABLE
        chars = unicodedata.normalize("NFD", chars + MARKS + " ")
        return sorted(set(chars.lower() if self._config.lowercase else chars))
