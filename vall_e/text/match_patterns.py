"""Parts of patterns, and what they matched put back into a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MINUS = r"(?:(?<![\w.,%°$€£¥])(?P<minus>[-−–]))?"  # not a hyphen, not a dash between
SPACE = r"[ \xa0\u202f]?"
UPPER = "A-ZÀ-ÖØ-Þ"


def any_of(written: Iterable[str]) -> str:
    """A pattern; the longest first, so that `km/h` is not taken for `km`."""
    longest_first = sorted(written, key=lambda each: (-len(each), each))
    return "(?:" + "|".join(map(re.escape, longest_first)) + ")" if longest_first else "(?!)"


def range_of(number: str, after_first: str, before_last: str = "") -> str:
    """A pattern of a number (`n`) that may be the end of a range (from `f`): 5-10."""
    first = rf"(?<![\w.,])(?<!\w-)(?P<f>{number}){after_first}\s?[-–]\s?{before_last}"
    return rf"(?:{first})?(?P<n>{number})"


def saying(said: str) -> Callable[[re.Match[str]], str]:
    """What replaces a match whatever it is."""
    return lambda _: said


def expanding(said: str) -> Callable[[re.Match[str]], str]:
    r"""What replaces a match, with `\1` for its first group."""
    return lambda found: found.expand(said)


def apart(found: re.Match[str], said: str) -> str:
    """With a space where a letter touches the number: B2B, 3pm."""
    before = found.string[found.start() - 1 : found.start()].isalpha() if found.start() else False
    after = found.string[found.end() : found.end() + 1].isalpha()
    return f"{' ' * before}{said}{' ' * after}"
