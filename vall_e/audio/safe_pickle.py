"""A pickle read without running anything that it names.

The reader is the one in Python of the standard library. Its table of what was said before grows
with the pickle, where the one in C makes room for any number that a few bytes name. Tuples become
lists: as keys, tuples of the same tuples would take for ever to be looked up.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any, ClassVar

MODULES = ("numpy.core", "numpy._core")
"""Of the first version of NumPy, and of the second."""
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
"""Operations that arrays have no use for."""


class RefusedNameError(Exception):
    """The pickle names something else than numpy's own files do."""

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
    """Texts, numbers, bytes, lists and dictionaries of them, and `PickledValue` ones.

    Raises `RefusedNameError`, or what the standard library raises for what is no pickle.
    """
    return _Reader(BytesIO(data)).load()


class _Maker:
    """Stands where the pickle names one of numpy's functions. Calling it does nothing."""

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
        """Make a list of so many, instead of a tuple."""
        start = len(self.stack) - size
        if start < 0:
            raise pickle.UnpicklingError("a tuple has too few values")
        self.stack[start:] = [self.stack[start:]]

    def load_marked_list(self) -> None:
        values = self.pop_mark()  # first: it brings back the stack that is appended to
        self.append(values)

    def load_bytearray(self) -> None:
        """Without room for bytes that are not there."""
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
