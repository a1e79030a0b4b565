"""How a number stands before the noun it counts: `un million d'euros`, `veintiún años`."""

from __future__ import annotations

import re

_FRENCH_MILLION = re.compile(r"(?:million|milliard|billion)s?$")
_SPANISH_MILLION = re.compile(r"(?:millón|millones|billón|billones)$")
_FRENCH_VOWEL = re.compile(r"[aeiouyhàâéèêëîïôûœ]", re.IGNORECASE)  # an h is mostly mute
# Words with the ending of a plural that are none.
_FRENCH_OTHERS = frozenset(
    {
        "dans", "sous", "mais", "plus", "sans", "après", "très", "vers", "depuis", "moins", "puis",
        "jamais", "toujours", "alors", "vous", "nous", "elles", "hors", "près", "lors",
    }
)  # fmt: skip
_SPANISH_OTHERS = frozenset(
    {
        "menos", "tras", "después", "pues", "además", "antes", "unos", "unas", "quizás", "jamás",
        "detrás",
    }
)  # fmt: skip
_SPANISH_MASCULINE = re.compile(
    r"(?:días|mapas|problemas|programas|sistemas|temas|idiomas|planetas|poemas|climas|dramas)$"
)
_SPANISH_FEMININE = re.compile(
    r"(?:as|ciones|siones|dades|tades|tudes|mujeres|veces|noches|tardes|calles|partes|clases"
    r"|leyes|voces|luces|flores|llaves|madres|bases|series|manos)$"
)


def french(number: str, noun: str) -> str:
    """Both, joined: a million counts with `de`."""
    return french_of(number, noun) if _FRENCH_MILLION.search(number) else f"{number} {noun}"


def french_of(part: str, noun: str) -> str:
    """Both, joined with `de`, or `d'` before a vowel."""
    return f"{part} d'{noun}" if _FRENCH_VOWEL.match(noun) else f"{part} de {noun}"


def spanish(number: str, noun: str) -> str:
    """Both, joined: a million counts with `de`; `uno` is shortened, or feminine with its noun."""
    if _SPANISH_MILLION.search(number):
        return f"{number} de {noun}"
    if _SPANISH_FEMININE.search(noun) and not _SPANISH_MASCULINE.search(noun):
        number = re.sub(r"uno$", "una", re.sub(r"cientos\b", "cientas", number))
        return f"{re.sub('quinientos', 'quinientas', number)} {noun}"
    number = re.sub(r"veintiuno$", "veintiún", number)
    return f"{re.sub(r'uno$', 'un', number)} {noun}"


def spanish_thousands(number: str) -> str:
    """`veintiún mil` of num2words' `veintiuno mil`, and `treinta y un millones` alike."""
    number = re.sub(r"\bveintiuno (?=mil|bill)", "veintiún ", number)
    return re.sub(r"\buno (?=mil|bill)", "un ", number)


def plain(number: str, noun: str) -> str:
    """Both, where nothing changes."""
    return f"{number} {noun}"


def french_noun(word: str) -> bool:
    """Whether a word after a number is a noun in the plural, by its ending."""
    return _plural(word, "sx") and word not in _FRENCH_OTHERS


def spanish_noun(word: str) -> bool:
    """Whether a word after a number is a noun in the plural, by its ending."""
    return _plural(word, "s") and word not in _SPANISH_OTHERS


def no_noun(word: str) -> bool:
    """Where nothing changes, no noun need be known."""
    return False


def _plural(word: str, endings: str) -> bool:
    return word.islower() and len(word) > 3 and word[-1] in endings
