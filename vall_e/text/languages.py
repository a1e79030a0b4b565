"""Language codes: how users write them, and what a phonemizer calls them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from vall_e.errors import TextError

if TYPE_CHECKING:
    from collections.abc import Sequence

ALIASES = {
    "en": "en-us",
    "en-uk": "en-gb",
    "fr": "fr-fr",
    "jp": "ja",
    "zh": "cmn",
    "zh-cn": "cmn",
    "zh-hk": "yue",
    "no": "nb",
    "es-mx": "es-419",
    "vi-vn": "vi",
}
"""What people write for what espeak calls otherwise."""


def resolve(code: str, known: Sequence[str]) -> str:
    """The code of `known` that the user means: exact, by alias, or by its language alone (`de-DE`).

    Raises `TextError` for a language that is not known. An empty `known` accepts every code.
    """
    plain = _plain(code)
    by_lower = {each.lower(): each for each in known}
    for candidate in (plain, ALIASES.get(plain, ""), _without_territory(plain)):
        if candidate in by_lower:
            return by_lower[candidate]
    if not known and plain:
        return plain
    near = get_close_matches(plain, [*by_lower, *ALIASES], n=1)
    some = f"known: {', '.join(sorted(known))}"
    raise TextError(
        f"no language is called {code!r}", hint=f"did you mean {near[0]!r}?" if near else some
    )


def resolve_spoken(code: str, spoken: Sequence[str]) -> str:
    """As `resolve`, of the languages that a model was trained to speak.

    Raises `TextError`, which names them, for any other: it may well be a language.
    """
    try:
        return resolve(code, spoken)
    except TextError as exc:
        raise TextError(
            f"this model does not speak {code!r}",
            hint=f"it speaks {', '.join(spoken)}: leave --language out, or name one",
        ) from exc


def among(code: str, languages: Sequence[str], known: Sequence[str] = ()) -> str | None:
    """The language of the run for a recording's language code; None if there is none.

    `en` means the first entry of that language, and so does a variety unknown to the phonemizer
    (`known` are its codes): `en-AU`, `de-AT`. Known varieties differ: `en-gb` is not `en-us`.
    """
    plain = _plain(code)
    for form in (_plain, lambda language: _plain(language).partition("-")[0]):
        for language in languages:
            if form(language) == plain:
                return language
    try:
        meant = resolve(code, known)
        if _tells(meant.lower(), plain):
            return next((one for one in languages if resolve(one, known) == meant), None)
    except TextError:
        return None
    return among(plain.partition("-")[0], languages, known)


def _tells(meant: str, plain: str) -> bool:
    """Whether the code found for another says all of it: `pt` for `pt-pt`, but not for `pt-ao`."""
    return meant in (plain, ALIASES.get(plain)) or f"{meant}-{meant}" == plain


def _plain(code: str) -> str:
    return code.strip().lower().replace("_", "-")


def _without_territory(code: str) -> str:
    language, _, territory = code.partition("-")
    # "de-DE" says no more than "de"; "pt-br" and "en-gb" do, but those are known by themselves.
    return ALIASES.get(language, language) if len(territory) == 2 else ""
