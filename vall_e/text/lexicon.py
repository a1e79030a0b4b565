"""A file of words and their pronunciations: `text.lexicon`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import field, frozen

from vall_e.damaged_files import damage_as
from vall_e.errors import CheckpointError, TextError

_RUN = re.compile(r"[\w]+")
_POSSESSIVE = re.compile(r"['’]\w")


def _by_first_run(entries: Mapping[str, str]) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for word in sorted(entries, key=len, reverse=True):
        run = _RUN.search(word)
        if run:
            found.setdefault(run[0].lower(), []).append((run.start(), word))
    return found


@frozen
class Lexicon:
    """Pronunciations by word. A word in small letters counts in every case, others as written."""

    entries: Mapping[str, str]
    _index: Mapping[str, list[tuple[int, str]]] = field(init=False, repr=False, eq=False)

    @_index.default
    def _indexed(self) -> Mapping[str, list[tuple[int, str]]]:
        return _by_first_run(self.entries)

    @classmethod
    def read(cls, path: Path) -> Lexicon:
        """Of lines `word<tab>phonemes`. Empty lines and lines that start with `#` do not count.

        Raises `TextError` for a file that cannot be read, naming the line.
        """
        with damage_as(
            TextError,
            f"text.lexicon: {path}",
            what="cannot be read",
            hint="name a text file in UTF-8, or set text.lexicon: ''",
        ):
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        return cls(dict(_entries(path, lines)))

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Start, end and phonemes of the words in a text: the longest first, none inside another.

        Words with an ending after an apostrophe (`Nguyen's`) are words of their own.
        """
        reached = 0
        for run in _RUN.finditer(text):
            found = self._at(text, run)
            if found and found[0] >= reached:
                reached = found[1]
                yield found

    def _at(self, text: str, run: re.Match[str]) -> tuple[int, int, str] | None:
        for offset, word in self._index.get(run[0].lower(), ()):
            start, end = run.start() - offset, run.start() - offset + len(word)
            written = text[max(start, 0) : end]
            same = written == word or (word == word.lower() and written.lower() == word)
            if same and not _goes_on(text, start, end):
                return start, end, self.entries[word]
        return None


def lexicon_beside(weights: Path, name: str) -> str:
    """The path of the lexicon that weights name: saved options hold no folders.

    Raises `CheckpointError` if it is neither beside them nor in the current folder.
    """
    if not name or Path(name).parent != Path():  # one with a folder is the user's own
        return name
    for path in (weights.parent / name, Path(name)):
        if path.is_file():
            return str(path)
    raise CheckpointError(
        f"{weights} was trained with the lexicon {name}, which is not beside it",
        hint="put it there, name it with text.lexicon, or set text.lexicon: '' to do without",
    )


def _goes_on(text: str, start: int, end: int) -> bool:
    """Whether what was found is a part of a longer word."""
    before = text[start - 1 : start] if start > 0 else ""
    after = text[end : end + 1]
    inside = _is_word(before) and _is_word(text[start])
    inside |= _is_word(after) and _is_word(text[end - 1])
    return inside or _POSSESSIVE.match(text, end) is not None


def _is_word(char: str) -> bool:
    return bool(char) and (char.isalnum() or char == "_")


def _entries(path: Path, lines: list[str]) -> Iterator[tuple[str, str]]:
    known: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        word, tab, phonemes = line.partition("\t")
        word, phonemes = word.strip(), phonemes.strip().strip("/").strip()
        if not (tab and _RUN.search(word) and phonemes) or "\t" in phonemes:
            raise TextError(
                f"{path}, line {number}: {line!r} is not a word, a tab and phonemes",
                hint="write lines like `Nguyen<tab>ŋwˈiən`",
            )
        if known.setdefault(word, phonemes) != phonemes:
            raise TextError(
                f"{path}, line {number}: {word!r} has two pronunciations, {known[word]!r} and "
                f"{phonemes!r}",
                hint="keep one of the lines",
            )
        yield word, phonemes
