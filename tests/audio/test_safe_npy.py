"""Files that try to run something, or to fill the memory, are refused at once and by name."""

import pickle
import struct
import time
from io import BytesIO

import numpy as np
import pytest

from vall_e.audio.safe_npy import read_dictionary
from vall_e.errors import CheckpointError

HEAD = b"\x93NUMPY\x01\x00\x3e\x00{'descr': '|O', 'fortran_order': False, 'shape': (), }"
HEAD += b" " * (10 + 0x3E - len(HEAD) - 1) + b"\n"
CALLS = b"cnumpy.core.multiarray\n_reconstruct\n"


class Runs:
    def __init__(self, function, *words):
        self.function, self.words = function, words

    def __reduce__(self):
        return self.function, self.words


def shared(levels, opening, twice):
    """A value of values of values: each level has the one before twice."""
    body = opening
    for number in range(levels):
        body += b"q" + bytes([number]) + twice(number)
    return body


def lists(number):
    return b"0]h" + bytes([number]) + b"ah" + bytes([number]) + b"a"


def tuples(number):
    return b"h" + bytes([number]) + b"\x86"


def saved(value, protocol=4):
    return pickle.dumps(np.array(value, dtype=object), protocol=protocol)


ATTACKS = {
    "a call": (saved({"codes": Runs(eval, "1")}), "is a pickle that calls builtins.eval"),
    "a call within a call": (saved(Runs(np.array, Runs(eval, "1"))), "is a pickle that calls"),
    "a class of a class": (
        b"cnumpy\nndarray.__class__\n.",
        "is a pickle that calls numpy.ndarray.__class__",
    ),
    "a long name": (b"c" + b"x" * 10_000 + b"\ny\n.", "is a pickle that calls xxx"),
    "an array of objects": (saved([{"a": 1}, {"b": 2}]), "array of objects"),
    "a type of objects": (
        b"}X\5\0\0\0codes" + CALLS + b"cnumpy\nndarray\nK\0\x85C\1b\x87R(K\1K\1\x85"
        b"cnumpy\ndtype\nX\2\0\0\0O8\x85R\x89C\x08" + b"\0" * 8 + b"tbs.",
        "arrays of the type 'O8'",
    ),
    "an array that is larger than its bytes": (
        b"}X\5\0\0\0codes" + CALLS + b"cnumpy\nndarray\nK\0\x85C\1b\x87R(K\1J\xff\xff\xff\x3f\x85"
        b"cnumpy\ndtype\nX\2\0\0\0i8\x85R\x89C\x08" + b"\0" * 8 + b"tbs.",
        "an array of the shape",
    ),
    "a function that is changed": (
        b"cnumpy\nndarray\n}X\4\0\0\0kindX\1\0\0\0xsb.",
        "not a valid file",
    ),
    "room for what was said": (b"]r\xff\xff\xff\x7f.", "no dictionary"),
    "room for bytes": (b"\x96" + struct.pack("<Q", 1 << 36) + b".", "cut off"),
    "room in a frame": (b"\x80\4\x95" + struct.pack("<Q", 1 << 40) + b"N.", "no dictionary|sound"),
    "lists of the same lists": (shared(60, b"]", lists) + b".", "expands to far more"),
    "keys of the same tuples": (b"}" + shared(60, b")", tuples) + b"Ns.", "not a valid file"),
    "a list in itself": (b"]q\0h\0a.", "not a valid file|unfolds"),
    "lists in lists": (b"]" * 100_000 + b"a" * 99_999 + b".", "not a valid file|unfolds"),
    "one array many times": (
        pickle.dumps([np.zeros(1 << 18)] * 400, protocol=4).replace(b"X", b"X"),
        "expands to far more",
    ),
    "an object of an extension": (b"\x82\1.", "not a valid file"),
    "an object from elsewhere": (b"Pelsewhere\n.", "not a valid file"),
    "a number of many digits": (b"I" + b"9" * 100_000 + b"\n.", "not a valid file|no dictionary"),
    "nothing": (b"", "not a valid file"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_at_once(tmp_path, name):
    body, says = ATTACKS[name]
    path = tmp_path / "bad.enc"
    path.write_bytes(HEAD + body)
    started = time.process_time()
    with pytest.raises(CheckpointError, match=says) as caught:
        read_dictionary(path)
    assert "bad.enc" in caught.value.message
    assert len(caught.value.message) < 400
    assert time.process_time() - started < 2


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_numpy_saves_is_read(tmp_path, protocol):
    codes = np.arange(12, dtype=np.int64).reshape(1, 3, 4)
    value = {
        "codes": codes,
        "again": [codes, codes.T, np.asfortranarray(codes[0])],
        "metadata": {"text": "hé", "n": np.float32(0.5), "ok": True, "no": None, "pair": (1, "a")},
    }
    out = BytesIO(HEAD)
    out.seek(0, 2)
    out.write(saved(value, protocol))
    (tmp_path / "x.enc").write_bytes(out.getvalue())
    found = read_dictionary(tmp_path / "x.enc")
    assert np.array_equal(found["codes"], codes)
    assert all(map(np.array_equal, found["again"], value["again"]))
    assert found["metadata"] == {**value["metadata"], "pair": [1, "a"]}


def test_a_file_that_is_larger_than_codes_are_is_not_read(tmp_path):
    path = tmp_path / "large.enc"
    with path.open("wb") as file:
        file.truncate(1 << 31)
    with pytest.raises(CheckpointError, match="too large for codes"):
        read_dictionary(path)
