"""Reads dictionaries of arrays and plain values written by `numpy.save`, without running code.

Such a file is a pickle, and a pickle names functions that its reader calls. Here, the few names
in numpy's own files become inert descriptions (`vall_e.audio.safe_pickle`), from which arrays are
made after the pickle is read; any other name is refused. So is a small file that expands into
much more, with parts that refer to parts that refer to parts.
"""

from __future__ import annotations

import math
import pickle
import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from vall_e.audio.safe_pickle import PickledValue, RefusedNameError, read
from vall_e.errors import CheckpointError, DataError

if TYPE_CHECKING:
    from pathlib import Path

DTYPE = re.compile(r"[<>|=]?(b1|[iuf][1248])")
"""Booleans, integers and floats: types that cannot contain objects."""
HEAD = re.compile(
    rb"\x93NUMPY(\x01\x00..|[\x02\x03]\x00....)\{'descr': '\|O',[^\n]*\}[ ]*\n", re.DOTALL
)
"""What `numpy.save` writes before an object."""
LEFT_BY_BAD_FILES = (
    *(pickle.UnpicklingError, ValueError, TypeError, KeyError, IndexError, AttributeError),
    *(EOFError, MemoryError, OverflowError, RecursionError, AssertionError, struct.error),
)
PLAIN = (str, int, float, bool, type(None))
LARGEST = 1 << 30
"""Maximum file size in bytes. An hour of codes has less than 20 MB."""
DIMENSIONS = 8
UNFOLDED, SPARE = 16, 1 << 20
"""A file may expand to this many times its size, plus this many bytes."""


def read_dictionary(path: Path) -> dict[str, Any]:
    """The dictionary in the file: arrays, numbers, texts, and lists and dictionaries of them.

    Raises `DataError` if there is no such file, `CheckpointError` if it is damaged, or contains
    anything else: nothing in it is run.
    """
    try:
        data = _limited(path)
    except OSError as exc:
        raise DataError(f"{path} cannot be read: {exc.strerror}", hint="check the path") from exc
    try:
        found = _Unfolding(len(data)).plain(read(_after_header(data)))
    except RefusedNameError as exc:
        raise CheckpointError(
            f"{path} is a pickle that calls {exc.name}; nothing was executed",
            hint="do not open this file with other programs; ask where it comes from",
        ) from exc
    except LEFT_BY_BAD_FILES as exc:
        raise CheckpointError(
            f"{path} is not a valid file of arrays: {exc}", hint="make it again, or copy it again"
        ) from exc
    found = found.item() if isinstance(found, np.ndarray) and found.shape == () else found
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} contains no dictionary", hint="give a file of codes")
    return found


def _limited(path: Path) -> bytes:
    size = path.stat().st_size
    if size > LARGEST:
        raise CheckpointError(
            f"{path} has {size} bytes, which is too large for codes", hint="split the recording"
        )
    return path.read_bytes()


def _after_header(data: bytes) -> bytes:
    """The position of the pickle: after numpy's description of one object."""
    head = HEAD.match(data)
    if not head:
        raise ValueError("it is not a dictionary written by numpy.save")
    return data[head.end() :]


class _Unfolding:
    """Makes real values from the descriptions in a file of this size, up to a limit."""

    def __init__(self, size: int) -> None:
        self.left = UNFOLDED * size + SPARE

    def plain(self, value: object) -> Any:
        """The value, with real arrays in place of their descriptions."""
        self._spend(len(value) if isinstance(value, str) else 8)
        if isinstance(value, PickledValue):
            return self._made(value)
        if isinstance(value, dict):
            return {_key(key): self.plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.plain(each) for each in value]
        if isinstance(value, PLAIN):
            return value
        raise ValueError(f"a {type(value).__name__} is neither an array nor a plain value")

    def _spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise ValueError("it expands to far more than its size")

    def _made(self, found: PickledValue) -> Any:
        if found.kind == "array":
            _, shape, dtype, fortran, content = found.state
            if isinstance(content, list):
                return self._objects(shape, content)
            return self._array(content, _dtype(dtype), shape, "F" if fortran else "C")
        if found.kind == "buffer":
            content, dtype, shape, order = found.words
            return self._array(content, _dtype(dtype), shape, order)
        if found.kind == "scalar":
            dtype, content = found.words
            return self._array(content, _dtype(dtype), [], "C").item()
        raise ValueError(f"a bare {found.kind} is not a value")

    def _objects(self, shape: object, content: list[object]) -> Any:
        if shape != [] or len(content) != 1:
            raise ValueError("it is an array of objects")
        return self.plain(content[0])

    def _array(self, content: object, dtype: np.dtype[Any], shape: Any, order: object) -> Any:
        data = _bytes(content)
        self._spend(len(data))
        sizes = _sizes(shape)
        if math.prod(sizes) * dtype.itemsize != len(data):
            raise ValueError(f"an array of the shape {sizes} has {len(data)} bytes")
        flat = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
        return flat.reshape(sizes, order="F" if order == "F" else "C")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise ValueError(f"a key is a {type(key).__name__}, not text")
    return key


def _sizes(shape: object) -> tuple[int, ...]:
    """Few and small enough to multiply."""
    if not isinstance(shape, list) or len(shape) > DIMENSIONS:
        raise ValueError("an array has no shape")
    if any(type(size) is not int or not 0 <= size <= LARGEST for size in shape):
        raise ValueError("an array has an impossible size")
    return tuple(shape)


def _dtype(found: object) -> np.dtype[Any]:
    if not (isinstance(found, PickledValue) and found.kind == "dtype"):
        raise ValueError("an array has no type")
    name = found.words[0]
    order = found.state[1] if found.state else "|"
    if not (isinstance(name, str) and DTYPE.fullmatch(name) and order in ("<", ">", "|", "=")):
        raise ValueError(f"arrays of the type {str(name)[:20]!r} are not supported")
    return np.dtype((order if order in ("<", ">") else "=") + name.lstrip("<>|="))


def _bytes(content: object) -> bytes:
    if isinstance(content, bytes | bytearray):
        return bytes(content)
    if isinstance(content, PickledValue) and content.kind == "bytes":  # pickles before protocol 3
        text, *encoding = content.words
        if isinstance(text, str) and encoding == ["latin1"]:
            return text.encode("latin1")
    raise ValueError("an array has no bytes")
