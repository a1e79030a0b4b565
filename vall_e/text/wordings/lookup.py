"""The wording of a language code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vall_e.text.wordings.english import BRITISH, ENGLISH
from vall_e.text.wordings.french import FRENCH
from vall_e.text.wordings.german import GERMAN
from vall_e.text.wordings.spanish import SPANISH

if TYPE_CHECKING:
    from vall_e.text.wordings.wording import Wording

_BY_LANGUAGE = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH}
LANGUAGES = tuple(_BY_LANGUAGE)


def wording(language: str) -> Wording | None:
    """Of the language, whatever its region; none if only the phonemizer knows how it is spoken."""
    if language.startswith("en-gb"):
        return BRITISH
    return _BY_LANGUAGE.get(language.partition("-")[0])


def wordings() -> list[Wording]:
    """Those of all languages."""
    return list(_BY_LANGUAGE.values())
