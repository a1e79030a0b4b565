"""The vocabulary of a new model, as `text.tokenizer` has it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from vall_e.errors import ConfigError, TextError
from vall_e.text.symbol_splitter import Glued, Pieces, read_pieces
from vall_e.text.vocabulary import HEAD, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vall_e.config.schema import TextConfig


def new_vocabulary(config: TextConfig, texts: Iterable[str]) -> Vocabulary:
    """Of a model that is to learn these texts.

    Raises `TextError` for a file that is no tokenizer, and `UnavailableError` without the library.
    """
    if config.tokenizer == "characters":
        return Vocabulary.of(chain.from_iterable(texts))
    if config.tokenizer == "naive":
        glued = Glued()
        symbols = {part for text in texts for part in (*text, *glued(text).symbols)}
        return Vocabulary((*HEAD, *sorted(symbols)), splitting=glued)
    return _of_pieces(_configured(config))


def require_tokenizer(config: TextConfig, trained: Vocabulary) -> None:
    """Raise `ConfigError` if weights were trained with another tokenizer than the config's."""
    wanted = {"characters": type(None), "naive": Glued, "hf": Pieces}[config.tokenizer]
    fits = isinstance(trained.splitting, wanted)
    if fits and config.tokenizer == "hf":
        fits = trained.splitting == _configured(config)
    if not fits:
        raise ConfigError(
            f"the weights were trained with another tokenizer than text.tokenizer: "
            f"{config.tokenizer} {config.tokenizer_file}".rstrip(),
            hint="set text.tokenizer and text.tokenizer_file as they were",
        )


def _of_pieces(pieces: Pieces) -> Vocabulary:
    return Vocabulary((*HEAD, *pieces.symbols), splitting=pieces)


def _configured(config: TextConfig) -> Pieces:
    if not config.tokenizer_file:
        raise TextError("text.tokenizer: hf needs a file", hint="name it with text.tokenizer_file")
    return read_pieces(Path(config.tokenizer_file))
