"""Reads a pickle without running anything that it names.

It uses the standard library's reader in Python: its memo grows with the pickle, while the one in
C allocates whatever size a few bytes ask for. Tuples become lists: looking up nested tuples as
keys could take forever.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any, ClassVar

MODULES = ("numpy.core", "numpy._core")
"""Module names in NumPy 1 and NumPy 2."""
KNOWN = {
    "numpy.ndarray": "class",
    "numpy.dtype": "dtype",
    "_codecs.encode": "bytes",
    **{f"{module}.multiarray._reconstruct": "array" for module in MODULES},
    **{f"{module}.multiarray.scalar": "scalar" for module in MODULES},
    **{f"{module}.numeric._frombuffer": "buffer" for module in MODULES},
}

UNUSED = (
    *(pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX, pickle.PERSID, pickle.BINPERSID),
    *(pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER),
)
"""Operations that arrays do not need."""


class RefusedNameError(Exception):
    """The pickle names something that numpy's own files do not."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class PickledValue:
    """An array, its type or a number, as the pickle describes it."""

    __slots__ = ("kind", "state", "words")

    def __init__(self, kind: str, words: tuple[Any, ...]) -> None:
        self.kind = kind
        self.words = words
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def read(data: bytes) -> object:
    """Texts, numbers, bytes, lists and dictionaries of them, and `PickledValue` objects.

    Raises `RefusedNameError`, or what the standard library raises for invalid pickles.
    """
    return _Reader(BytesIO(data)).load()


class _Maker:
    """Replaces a function of numpy named in the pickle. Calling it does nothing."""

    __slots__ = ("kind",)
    kind: str

    def __init__(self, kind: str) -> None:
        object.__setattr__(self, "kind", kind)

    def __setattr__(self, name: str, value: object) -> None:
        raise pickle.UnpicklingError(f"{self.kind} cannot be changed")

    def __call__(self, *words: object) -> PickledValue:
        return PickledValue(self.kind, words)


class _Reader(pickle._Unpickler):
    append: Callable[[object], None]
    read: Callable[[int], bytes]
    stack: list[Any]
    pop_mark: Callable[[], list[Any]]

    def find_class(self, module: str, name: str) -> object:
        kind = KNOWN.get(f"{module}.{name}")
        if kind is None:
            raise RefusedNameError(f"{module}.{name}"[:100])
        return _Maker(kind)

    def lists(self, size: int) -> None:
        """Make a list of this many values, instead of a tuple."""
        start = len(self.stack) - size
        if start < 0:
            raise pickle.UnpicklingError("a tuple has too few values")
        self.stack[start:] = [self.stack[start:]]

    def load_marked_list(self) -> None:
        values = self.pop_mark()  # first: it restores the stack that is appended to
        self.append(values)

    def load_bytearray(self) -> None:
        """Without allocating memory for bytes that do not exist."""
        (size,) = struct.unpack("<Q", self.read(8))
        found = self.read(size)
        if len(found) < size:
            raise EOFError("it is cut off")
        self.append(found)

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        code: load
        for code, load in pickle._Unpickler.dispatch.items()
        if bytes([code]) not in UNUSED
    } | {
        pickle.EMPTY_TUPLE[0]: lambda self: self.lists(0),
        pickle.TUPLE1[0]: lambda self: self.lists(1),
        pickle.TUPLE2[0]: lambda self: self.lists(2),
        pickle.TUPLE3[0]: lambda self: self.lists(3),
        pickle.TUPLE[0]: load_marked_list,
        pickle.BYTEARRAY8[0]: load_bytearray,
    }
