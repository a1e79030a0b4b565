"""The normalizer `nemo`: NeMo's grammars, run by `kitten-text-processing`.

Zhang, Bakhturina, Gorman, Ginsburg: NeMo Inverse Text Normalization: From Development To
Production, 2021, https://arxiv.org/abs/2104.05055; its grammars of the other direction are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vall_e.plugin import TextError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kitten_text_processing import Normalizer

    from vall_e_normalizer_nemo.options import NemoConfig

CODES = {"cmn": "zh"}
"""What the grammars call languages that espeak calls otherwise."""


class Nemo:
    """Loads the grammar of a language when a text is in it."""

    def __init__(self, config: NemoConfig) -> None:
        try:
            from kitten_text_processing import SUPPORTED_LANGUAGES
        except ImportError as exc:
            raise UnavailableError(
                f"nemo needs the package kitten-text-processing: {exc}",
                hint="pip install kitten-text-processing",
            ) from exc
        self._config = config
        self._grammars: dict[str, Normalizer] = {}
        self.languages: Sequence[str] = (*SUPPORTED_LANGUAGES, *CODES)

    def __call__(self, text: str, language: str) -> str:
        """Raises `TextError` for a text that the grammar has no path for."""
        code = language.partition("-")[0]
        if code not in self.languages or not text.strip():
            return text
        try:
            grammar = self._grammar(CODES.get(code, code))
            written: str = grammar.normalize(text, punct_post_process=True)
            return written
        except ValueError as exc:
            if self._config.rejected == "keep":
                return text
            raise TextError(
                f"NeMo's grammar of {code!r} cannot read {text!r}: {exc}",
                hint="set text.normalizer.rejected: keep, or take another normalizer",
            ) from exc

    def _grammar(self, code: str) -> Normalizer:
        if code not in self._grammars:
            from kitten_text_processing import Normalizer

            self._grammars[code] = Normalizer(lang=code)
        return self._grammars[code]
