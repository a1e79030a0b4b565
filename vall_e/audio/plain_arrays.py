"""What `numpy.save` wrote of a dictionary of arrays and plain values, read without running code.

Such a file is a pickle, and a pickle names functions that its reader calls. Here, the few that
numpy's own files name stand for dead descriptions, arrays are made from these once the pickle is
done, and any other name is refused.
"""

from __future__ import annotations

import math
import pickle
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from vall_e.errors import CheckpointError, DataError

if TYPE_CHECKING:
    from pathlib import Path

DTYPE = re.compile(r"[<>|=]?(b1|[iuf][1248])")
"""Booleans, integers and floats: what can hold no objects."""
HEAD = re.compile(
    rb"\x93NUMPY(\x01\x00..|[\x02\x03]\x00....)\{'descr': '\|O',[^\n]*\}[ ]*\n", re.DOTALL
)
"""What `numpy.save` writes before an object."""
LEFT_BY_BAD_FILES = (
    *(pickle.UnpicklingError, ValueError, TypeError, KeyError, IndexError, AttributeError),
    *(EOFError, MemoryError, OverflowError, RecursionError),
)
PLAIN = (str, int, float, bool, type(None))


def read_dictionary(path: Path) -> dict[str, Any]:
    """The dictionary in the file: arrays, numbers, texts, and lists and dictionaries of them.

    Raises `DataError` if there is no such file, `CheckpointError` if it is damaged, or holds
    anything else: nothing of it is run.
    """
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise DataError(f"{path} cannot be read: {exc.strerror}", hint="check the path") from exc
    try:
        found = _plain(_Reader(_after_header(data)).load())
    except _RefusedNameError as exc:
        raise CheckpointError(
            f"{path} wants to run {exc.name}, which no array needs: nothing of it was run",
            hint="do not open this file with other programs; ask who made it",
        ) from exc
    except LEFT_BY_BAD_FILES as exc:
        raise CheckpointError(
            f"{path} is no sound file of arrays: {exc}", hint="make it again, or copy it again"
        ) from exc
    found = found.item() if isinstance(found, np.ndarray) and found.shape == () else found
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} holds no dictionary", hint="give a file of codes")
    return found


class _RefusedNameError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _after_header(data: bytes) -> BytesIO:
    """Where the pickle begins: after numpy's description of one object."""
    head = HEAD.match(data)
    if not head:
        raise ValueError("it is not a dictionary that numpy.save wrote")
    return BytesIO(data[head.end() :])


class _Described:
    """An array, its type or a number, as the pickle describes it."""

    __slots__ = ("kind", "state", "words")

    def __init__(self, kind: str, words: tuple[Any, ...]) -> None:
        self.kind = kind
        self.words = words
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Maker:
    """Stands where the pickle names one of numpy's functions. Calling it does nothing."""

    __slots__ = ("kind",)
    kind: str

    def __init__(self, kind: str) -> None:
        object.__setattr__(self, "kind", kind)

    def __setattr__(self, name: str, value: object) -> None:
        raise pickle.UnpicklingError(f"{self.kind} cannot be changed")

    def __call__(self, *words: object) -> _Described:
        return _Described(self.kind, words)


KNOWN = {
    f"{module}.{name}": kind
    for modules, name, kind in (
        (("numpy",), "ndarray", "class"),
        (("numpy",), "dtype", "dtype"),
        (("numpy.core.multiarray", "numpy._core.multiarray"), "_reconstruct", "array"),
        (("numpy.core.multiarray", "numpy._core.multiarray"), "scalar", "scalar"),
        (("numpy.core.numeric", "numpy._core.numeric"), "_frombuffer", "buffer"),
        (("_codecs",), "encode", "bytes"),
    )
    for module in modules
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        kind = KNOWN.get(f"{module}.{name}")
        if kind is None:
            raise _RefusedNameError(f"{module}.{name}")
        return _Maker(kind)


def _plain(value: object) -> Any:
    """The value with real arrays where the pickle describes some."""
    if isinstance(value, _Described):
        return _made(value)
    if isinstance(value, dict):
        return {_key(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, PLAIN):
        return value
    raise ValueError(f"a {type(value).__name__} is neither an array nor a plain value")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise ValueError(f"the key {key!r} is no text")
    return key


def _made(found: _Described) -> Any:
    if found.kind == "array":
        _, shape, dtype, fortran, content = found.state
        if isinstance(content, list):
            return _objects(shape, content)
        return _array(content, _dtype(dtype), shape, "F" if fortran else "C")
    if found.kind == "buffer":
        content, dtype, shape, order = found.words
        return _array(content, _dtype(dtype), shape, order)
    if found.kind == "scalar":
        dtype, content = found.words
        return _array(content, _dtype(dtype), (), "C").item()
    raise ValueError(f"a bare {found.kind} is no value")


def _objects(shape: object, content: list[object]) -> Any:
    if shape != () or len(content) != 1:
        raise ValueError("it is an array of objects")
    return _plain(content[0])


def _dtype(found: object) -> np.dtype[Any]:
    if not (isinstance(found, _Described) and found.kind == "dtype"):
        raise ValueError("an array has no type")
    name = found.words[0]
    order = found.state[1] if found.state else "|"
    if not (isinstance(name, str) and DTYPE.fullmatch(name) and order in ("<", ">", "|", "=")):
        raise ValueError(f"arrays of the type {name!r} are not read")
    return np.dtype((order if order in ("<", ">") else "=") + name.lstrip("<>|="))


def _array(content: object, dtype: np.dtype[Any], shape: Any, order: str) -> Any:
    data = _bytes(content)
    sizes = tuple(shape)
    if any(not isinstance(size, int) or size < 0 for size in sizes):
        raise ValueError(f"no array has the shape {sizes}")
    if math.prod(sizes) * dtype.itemsize != len(data):
        raise ValueError(f"an array of the shape {sizes} has {len(data)} bytes")
    flat = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
    return flat.reshape(sizes, order="F" if order == "F" else "C")


def _bytes(content: object) -> bytes:
    if isinstance(content, bytes | bytearray):
        return bytes(content)
    if isinstance(content, _Described) and content.kind == "bytes":  # pickles before protocol 3
        text, *encoding = content.words
        if isinstance(text, str) and encoding == ["latin1"]:
            return text.encode("latin1")
    raise ValueError("an array has no bytes")
