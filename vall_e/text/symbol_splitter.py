"""How a text falls into symbols, where that is not one for each code point."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attrs import field, frozen

from vall_e.damaged_files import damage_as, parse_json
from vall_e.errors import CheckpointError, TextError, UnavailableError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

GLUED = "ˈˌː"
"""Marks that `naive` joins to the character before them: stress and length."""


RESERVED = ("<unk>", "<bos>", "<eos>", "</eos>", "<mask>")
"""Names of special symbols: a text never holds them."""


@frozen
class Split:
    """The symbols of a text, and the parts of it that no symbol can stand for."""

    symbols: list[str]
    lost: list[str]


class Splitting(Protocol):
    """A way to cut texts into symbols. Its values are equal where they cut alike."""

    def __call__(self, text: str) -> Split: ...

    def join(self, symbols: list[str]) -> str:
        """The text of these symbols."""
        ...

    def to_json(self) -> dict[str, str]:
        """What `splitting_of` reads back."""
        ...


@frozen
class Glued:
    """A character with the stress and length marks after it is one symbol."""

    def __call__(self, text: str) -> Split:
        symbols: list[str] = []
        for character in text:
            if character in GLUED and symbols:
                symbols[-1] += character
            else:
                symbols.append(character)
        return Split(symbols, [])

    def join(self, symbols: list[str]) -> str:
        return "".join(symbols)

    def to_json(self) -> dict[str, str]:
        return {"kind": "glued"}


@frozen
class Pieces:
    """Those of a `tokenizer.json`, by the library `tokenizers` of Hugging Face.

    https://huggingface.co/docs/tokenizers. What it drops or calls unknown is returned separately.
    """

    content: str = field(repr=False)
    """Of the file: the weights keep it."""

    @cached_property
    def tokenizer(self) -> Tokenizer:
        try:
            from tokenizers import Tokenizer
        except ImportError as exc:
            raise UnavailableError(
                "text.tokenizer: hf needs the package tokenizers",
                hint="pip install 'vall-e[tokenizers]'",
            ) from exc
        return Tokenizer.from_str(self.content)

    @property
    def symbols(self) -> list[str]:
        """In the order of their ids, without the file's own special symbols."""
        ids = self.tokenizer.get_vocab()
        return [symbol for symbol in sorted(ids, key=ids.__getitem__) if self._spoken(symbol)]

    def __call__(self, text: str) -> Split:
        found = self.tokenizer.encode(text, add_special_tokens=False)
        symbols: list[str] = []
        lost: list[str] = []
        for symbol, (start, stop) in zip(found.tokens, found.offsets, strict=True):
            if self._spoken(symbol):
                symbols.append(symbol)
            else:
                lost += _shown(text[start:stop])
        if self._unknown is None:  # then it drops characters, and its offsets do not tell where
            lost += [character for character in _shown(text) if self._drops(character)]
        return Split(symbols, lost)

    def join(self, symbols: list[str]) -> str:
        decoder = self.tokenizer.decoder
        text: str = "".join(symbols) if decoder is None else decoder.decode(symbols)
        return text

    def to_json(self) -> dict[str, str]:
        return {"kind": "tokenizer.json", "content": self.content}

    @cached_property
    def _special(self) -> frozenset[str | None]:
        added = self.tokenizer.get_added_tokens_decoder().values()
        own = [token.content for token in added if token.special]
        return frozenset([*own, *RESERVED, self._unknown])

    @cached_property
    def _unknown(self) -> str | None:
        """The symbol that stands for what it does not know, if it has one."""
        model = json.loads(self.content)["model"]
        if model.get("unk_id") is not None:
            return str(model["vocab"][model["unk_id"]][0])
        token = model.get("unk_token")
        return None if token is None else str(token)

    @cached_property
    def _dropped(self) -> dict[str, bool]:
        return {}

    def _drops(self, character: str) -> bool:
        if character not in self._dropped:
            found = self.tokenizer.encode(character, add_special_tokens=False)
            self._dropped[character] = not found.tokens
        return self._dropped[character]

    def _spoken(self, symbol: str) -> bool:
        return symbol not in self._special


def _shown(text: str) -> list[str]:
    """Its characters but white space, which is often meant to fall."""
    return [character for character in text if not character.isspace()]


def read_pieces(path: Path) -> Pieces:
    """Of a `tokenizer.json`. Raises `TextError` for any other file."""
    with damage_as(
        TextError,
        f"text.tokenizer_file: {path}",
        what="is no tokenizer.json",
        hint="give the file that Hugging Face's tokenizers saved",
    ):
        content = path.read_text(encoding="utf-8")
        parse_json(content)["model"]
        pieces = Pieces(content)
        _ = pieces.symbols, pieces("\N{SNOWMAN}")  # the library refuses many files only now
    return pieces


def splitting_of(facts: Mapping[str, Any] | None) -> Splitting | None:
    """The inverse of `to_json`; None is one symbol for each code point."""
    if facts is None:
        return None
    if facts["kind"] == "glued":
        return Glued()
    if facts["kind"] == "tokenizer.json":
        return Pieces(facts["content"])
    raise CheckpointError(
        f"the weights' texts are split by {facts['kind']!r}, which this version does not know",
        hint="update vall-e",
    )
