"""espeak-ng as a phonemizer, through the library that `espeakng-loader` carries."""

from __future__ import annotations

import re
import threading
import unicodedata
from typing import TYPE_CHECKING

from vall_e.errors import TextError, UnavailableError
from vall_e.text.ipa import IPA
from vall_e.text.languages import resolve
from vall_e.text.punctuation import MARKS, clauses, unify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    from vall_e.text.phonemizers.options import EspeakConfig

# Listed by espeak-ng 1.52, but the bundled library comes without their dictionaries.
WITHOUT_DICTIONARY = frozenset({"fo", "kaa", "xex"})
READS_HAN = frozenset({"cmn", "yue", "hak"})

_SWITCH = re.compile(r"\([\w-]+\)")  # espeak marks a word of another language: "(en)fʊtbɔːl(fr)"
_HAN = re.compile(r"[\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


class Espeak:
    """IPA with stress marks, a space between words, and punctuation.

    One espeak serves all languages of an instance; it is loaded apart from those of other instances
    and of other users of `phonemizer` in this process. Threads take turns.
    """

    def __init__(self, config: EspeakConfig) -> None:
        self._to_kana = _kana_writer() if config.kanji == "pykakasi" else None
        self._lock = threading.Lock()
        self._espeak = _load(config)
        self._language = ""  # the one that espeak is set to
        self.languages: Sequence[str] = _languages(self._espeak)

    def __call__(self, text: str, language: str) -> str:
        code = resolve(language, self.languages)
        words = unify(unicodedata.normalize("NFC", text))
        words = self._readable(words, code)
        with self._lock:
            if code != self._language:
                self._espeak.set_voice(code)
                self._language = code
            spoken = " ".join(self._speak(*clause) for clause in clauses(words))
        return unicodedata.normalize("NFD", spoken).strip()

    def _speak(self, words: str, marks: str) -> str:
        # espeak drops punctuation, so it gets the text clause by clause.
        phonemes = self._espeak.text_to_phonemes(words) if words else ""
        phonemes = _SWITCH.sub("", phonemes.replace("_", ""))
        kept = "".join(char for char in phonemes if char.isspace() or char.isprintable())
        return " ".join(kept.split()) + marks

    def alphabet(self) -> list[str]:
        return sorted(set(IPA + MARKS + " "))

    def _readable(self, text: str, code: str) -> str:
        han = _HAN.search(text)
        if han is None or code in READS_HAN:
            return text
        if code == "ja" and self._to_kana is not None:
            return self._to_kana(text)
        # espeak would say "Chinese letter", in English, for each of them.
        hint = "write it as it is spoken, in the letters of the language"
        if code == "ja":
            hint = "write it in kana, or install pykakasi and set text.phonemizer.kanji: pykakasi"
        raise TextError(f"espeak cannot read {han.group()!r} as {code}", hint=hint)


def _load(config: EspeakConfig) -> EspeakWrapper:
    try:
        from phonemizer.backend.espeak.wrapper import EspeakWrapper
    except ImportError as exc:
        raise UnavailableError(
            f"espeak needs the package phonemizer: {exc}", hint="pip install phonemizer"
        ) from exc
    library, data = _paths(config)

    class Espeak(EspeakWrapper):  # type: ignore[misc]
        """A class of our own, since the paths of the library are set on the class."""

    Espeak.set_library(library)
    Espeak.set_data_path(data)
    try:
        return Espeak()
    except (RuntimeError, OSError) as exc:
        raise UnavailableError(
            f"the espeak library {library} cannot be loaded: {exc}",
            hint="check text.phonemizer.library and text.phonemizer.data, or leave both out",
        ) from exc


def _paths(config: EspeakConfig) -> tuple[str, str | None]:
    """Library and data; no data path: the library knows."""
    for path in filter(None, (config.library, config.data)):
        if not path.exists():
            raise UnavailableError(
                f"{path} does not exist",
                hint="check text.phonemizer.library and text.phonemizer.data, or leave both out",
            )
    data = None if config.data is None else str(config.data)
    if config.library is not None:
        return str(config.library), data
    try:
        import espeakng_loader
    except ImportError as exc:
        raise UnavailableError(
            f"espeak needs the package espeakng-loader: {exc}",
            hint="pip install espeakng-loader, or set text.phonemizer.library to a libespeak-ng",
        ) from exc
    return espeakng_loader.get_library_path(), data or espeakng_loader.get_data_path()


def _languages(espeak: EspeakWrapper) -> tuple[str, ...]:
    voices = espeak.available_voices()
    # mbrola's voices share the language codes, and need a program that espeak does not bring.
    codes = {voice.language for voice in voices if not str(voice.identifier).startswith("mb/")}
    return tuple(sorted(codes - WITHOUT_DICTIONARY))


def _kana_writer() -> Callable[[str], str]:
    try:
        import pykakasi
    except ImportError as exc:
        raise UnavailableError(
            "text.phonemizer.kanji: pykakasi needs the package of that name",
            hint="pip install pykakasi",
        ) from exc
    kakasi = pykakasi.kakasi()
    return lambda text: " ".join(word["hira"] for word in kakasi.convert(text))
