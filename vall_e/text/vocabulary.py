"""Phoneme symbols and their ids. A vocabulary is saved with the weights that were trained on it."""

from __future__ import annotations

import json
import logging
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

from attrs import Attribute, field, frozen

from vall_e.damaged_files import damage_as, parse_json
from vall_e.errors import CheckpointError, TextError
from vall_e.text.bpe_merges import Merges
from vall_e.text.symbol_splitter import Split, Splitting, splitting_of

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD = ("<unk>", "<bos>", "<eos>", "<mask>")
"""The first symbols of every vocabulary, with ids 0 to 3."""
UNK, BOS, EOS, MASK = range(len(HEAD))

log = logging.getLogger(__name__)


@frozen
class EncodedText:
    """The ids of a text between `<bos>` and `<eos>`, and what was left out."""

    ids: list[int]
    unknown: Counter[str]


def _complete(vocabulary: Vocabulary, _: Attribute[Any], symbols: tuple[str, ...]) -> None:
    if symbols[: len(HEAD)] != HEAD:
        raise ValueError(f"a vocabulary starts with {', '.join(HEAD)}, not with {symbols[:4]}")
    twice = [symbol for symbol, count in Counter(symbols).items() if count > 1]
    if twice:
        raise ValueError(f"a symbol has one id, these have several: {twice}")
    long = [symbol for symbol in symbols[len(HEAD) :] if len(symbol) != 1]
    if long and not vocabulary.adopted and vocabulary.splitting is None:
        raise ValueError(f"a symbol is one code point, these are not: {long}")


@frozen
class Vocabulary:
    """Symbols in the order of their ids: the four special ones, then single code points.

    One code point a symbol makes encoding unambiguous: no rule has to say whether `aɪ` is one sound
    or two, and length and nasal marks carry over to sounds that training never showed them with.

    One that was `adopted` with another project's weights may have longer symbols, and `merges`
    that make them; and `variants`, further symbols that share an id with the first. So may one
    whose `splitting` is not by code points.
    """

    symbols: tuple[str, ...] = field(validator=_complete)
    variants: tuple[tuple[str, int], ...] = field(default=(), kw_only=True)
    merges: Merges = field(default=Merges(), kw_only=True)
    adopted: bool = field(default=False, kw_only=True)
    splitting: Splitting | None = field(default=None, kw_only=True)
    _ids: dict[str, int] = field(init=False, repr=False, eq=False)

    @_ids.default
    def _index(self) -> dict[str, int]:
        return {symbol: index for index, symbol in enumerate(self.symbols)} | dict(self.variants)

    @classmethod
    def of(cls, alphabet: Iterable[str]) -> Vocabulary:
        """The vocabulary of these symbols; their order and repetitions do not matter."""
        return cls((*HEAD, *sorted(set(alphabet))))

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, phonemes: str, *, unknown: Literal["error", "warn"]) -> EncodedText:
        """`<bos>`, an id for each symbol, `<eos>`; unknown symbols are refused or left out."""
        encoded = self.look_up(phonemes)
        if encoded.unknown:
            _report(encoded.unknown, phonemes, unknown)
        return encoded

    def look_up(self, phonemes: str) -> EncodedText:
        """As `encode`, where whoever asks reports what is unknown."""
        split = self._split(phonemes)
        known = [symbol for symbol in split.symbols if symbol in self._ids]
        missing = Counter(symbol for symbol in split.symbols if symbol not in self._ids)
        missing.update(split.lost)
        return EncodedText([BOS, *(self._ids[symbol] for symbol in known), EOS], missing)

    def _split(self, phonemes: str) -> Split:
        if self.splitting is None:
            return Split(self._symbols(phonemes), [])
        split = self.splitting(phonemes)
        # A joined symbol that the texts of the training never had: its characters, one by one.
        each = [[symbol] if symbol in self._ids else list(symbol) for symbol in split.symbols]
        return Split([symbol for symbols in each for symbol in symbols], split.lost)

    def _symbols(self, phonemes: str) -> list[str]:
        """Code points; an adopted vocabulary may know a letter with its mark as one, or as two."""
        if not self.adopted:
            return list(phonemes)
        points: list[str] = []
        for point in unicodedata.normalize("NFC", phonemes):
            known = point in self._ids
            points += [point] if known else unicodedata.normalize("NFD", point)
        return self.merges(points)

    def decode(self, ids: Iterable[int]) -> str:
        """The phonemes of `ids`, without the special symbols."""
        symbols = [self._symbol(index) for index in ids if index >= len(HEAD) or index < 0]
        return "".join(symbols) if self.splitting is None else self.splitting.join(symbols)

    def _symbol(self, index: int) -> str:
        if not 0 <= index < len(self):
            raise TextError(
                f"no symbol has the id {index}: the vocabulary has {len(self)} symbols",
                hint="decode with the vocabulary that the ids were made with",
            )
        return self.symbols[index]

    def to_json(self) -> str:
        """One line that `from_json` reads back."""
        facts: dict[str, object] = {"symbols": self.symbols}
        if self.adopted:
            facts |= {"variants": self.variants, "merges": self.merges.pairs}
        if self.splitting is not None:
            facts |= {"splitting": self.splitting.to_json()}
        return json.dumps(facts, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Vocabulary:
        """Read what `to_json` wrote. Raises `CheckpointError` for anything else."""
        hint = "take the file from its source again"
        with damage_as(CheckpointError, "the vocabulary", hint=hint):
            facts = parse_json(text)
            symbols = facts["symbols"]
            if not all(isinstance(symbol, str) for symbol in symbols):
                raise TypeError("a symbol is not text")
            return cls(
                tuple(symbols),
                variants=tuple((str(s), int(i)) for s, i in facts.get("variants", ())),
                merges=Merges(tuple((str(a), str(b)) for a, b in facts.get("merges", ()))),
                adopted="merges" in facts,
                splitting=splitting_of(facts.get("splitting")),
            )


def listed(symbols: Counter[str]) -> str:
    """The symbols with their code points and counts, for a message."""
    return ", ".join(
        f"{symbol!r} ({_points(symbol)}) x {count}" for symbol, count in symbols.most_common()
    )


def _points(symbol: str) -> str:
    return " ".join(f"U+{ord(point):04X}" for point in symbol)


def _report(missing: Counter[str], phonemes: str, unknown: Literal["error", "warn"]) -> None:
    found = listed(missing)
    if unknown == "error":
        raise TextError(
            f"the vocabulary lacks {found}, found in {phonemes!r}",
            hint="write the text without it, or set text.unknown: warn to leave it out",
        )
    log.warning("left out %s, which the vocabulary lacks, of %r", found, phonemes)
