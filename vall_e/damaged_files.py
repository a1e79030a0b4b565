"""Whatever a library raises at a damaged file becomes an error that names the file. Torch-free.

Decoders, parsers and `torch.load` raise exceptions of any type. Around a call that reads a file of
the user, and the values that are made of its content, there is one of these boundaries.
"""

from __future__ import annotations

import json
import logging
import pickle
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vall_e.errors import VallEError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_REASON = 300
_HALVES = re.compile(r"\\u[dD][89a-fA-F]")
"""JSON writes a character beyond 16 bits as two halves; one alone is not a character."""

log = logging.getLogger(__name__)


@contextmanager
def damage_as(
    error: type[VallEError], path: Path | str, *, hint: str, what: str = "is damaged"
) -> Iterator[None]:
    """Any exception inside becomes an `error` "`path` `what`: reason"; one of ours stays as it is.

    The body only reads, and makes values of what it read: a bug there would look like damage.
    """
    try:
        yield
    except VallEError:
        raise
    except Exception as exc:
        log.debug("%s %s", path, what, exc_info=exc)
        raise error(f"{printable(path)} {what}: {reason(exc)}", hint=hint) from exc


def parse_json(text: str | bytes) -> Any:
    """As `json.loads`, but raises only `ValueError`, and also for text with half a character."""
    text = text.decode() if isinstance(text, bytes) else text
    try:
        value = json.loads(text)
        if _HALVES.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as exc:
        raise ValueError("lists and mappings are nested too deeply") from exc
    return value


def printable(path: Path | str) -> str:
    """The path with characters that cannot be printed as escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def reason(exc: Exception) -> str:
    """In one line of limited length."""
    if isinstance(exc, MemoryError):
        return "it states sizes that do not fit into memory"
    if isinstance(exc, RecursionError):
        return "it is nested too deeply"
    if isinstance(exc, pickle.UnpicklingError) and "weights_only" in str(exc):
        return "it holds more than tensors and plain data"  # torch advises to run its code
    if isinstance(exc, KeyError):
        return f"{exc} is missing"
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    told = getattr(exc, "error_string", exc)  # libsndfile's, without the address of an object
    said = " ".join(str(told).split()) or type(exc).__name__
    said = said if len(said) <= LONGEST_REASON else f"{said[:LONGEST_REASON]}..."
    return said.encode("utf-8", "backslashreplace").decode()
