"""Markdown without its signs: what a reader of the page would see."""

from __future__ import annotations

import re

_ENDED = re.compile(r"[.!?…:;,—]\W*$|^\W*$")
_SIGNS = re.compile(r"[*_`#~>|\[\]\\]|^[ \t]*[-+•] |---", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE)
_RULE = re.compile(
    r"^[ \t]*(?:(?:[-*_][ \t]*){3,}|\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[-:| \t]*)?)$", re.M
)
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(?=\D)(.*?)[ \t]*#*[ \t]*$", re.MULTILINE)
_QUOTE = re.compile(r"^[ \t]{0,3}(?:>[ \t]?)+(?=\S)", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]*(?:[*+•]|-(?![ \t]+\d))[ \t]+(?:\[[ xX]\][ \t]+)?(\S.*?)[ \t]*$", re.M)
_ROW = re.compile(r"^[ \t]*\|(.+)\|[ \t]*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*(?:\([^()\s]*\))?[^()\n]*\)")
_PRONOUNCED = re.compile(r"\[[^\[\]\n]+\]\(/[^/\n]+/\)")
_ADDRESS = re.compile(r"<(?=https?://)([^<>\s]+)>")
_CODE = re.compile(r"(`+)(?=[^`])(.+?)(?<!`)\1(?!`)")
_STRUCK = re.compile(r"~~(?=\S)(.+?)(?<=\S)~~")
_EMPHASIS = tuple(
    re.compile(rf"(?<![\w*\\]){sign}(?=[^\s*])(.{{1,500}}?)(?<=[^\s*\\]){sign}(?![\w*])", re.DOTALL)
    for sign in (r"\*\*\*", r"\*\*", r"\*")
) + tuple(
    re.compile(rf"(?<![\w\\]){sign}(?=[^\s_])([^\n]{{1,500}}?)(?<=[^\s_\\]){sign}(?!\w)")
    for sign in ("___", "__", "_")
)
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!~>|])")


def without_markup(text: str, *, keep_phonemes: bool = False) -> str:
    """The words of a Markdown text, a heading or an item of a list in a paragraph of its own.

    A text without such signs is left as it is; so is `[word](/phonemes/)` with `keep_phonemes`.
    """
    if not _SIGNS.search(text):
        return text
    text = _RULE.sub("", _FENCE.sub("", text))
    for pattern in (_HEADING, _ITEM):
        text = pattern.sub(_paragraph, text)
    text = _ROW.sub(_cells, _QUOTE.sub("", text))
    text = _ADDRESS.sub(r"\1", _LINK.sub(_kept if keep_phonemes else r"\1", text))
    text = _STRUCK.sub(r"\1", _CODE.sub(r"\2", text))
    for pattern in _EMPHASIS:
        text = pattern.sub(r"\1", text)
    return _ESCAPED.sub(r"\1", text).strip("\n")


def _kept(found: re.Match[str]) -> str:
    return found[0] if _PRONOUNCED.fullmatch(found[0]) else found[1]


def _paragraph(found: re.Match[str]) -> str:
    return f"\n{_ended(found[1])}\n"


def _cells(found: re.Match[str]) -> str:
    cells = [cell.strip() for cell in found[1].split("|")]
    return _ended(", ".join(filter(None, cells)))


def _ended(words: str) -> str:
    """With a stop where nothing ends it, so that what follows is not run into."""
    return words if _ENDED.search(words) else f"{words}."
