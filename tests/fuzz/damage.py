"""Damages the content of a file, as its kind allows: bytes anywhere, or values where they stand."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

Random = random.Random
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
DEEP, LONG = "\x01deep\x01", "\x01digits\x01"
"""Stand for JSON that `json.dumps` does not write."""
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2.5, 1e20, -1e300, 2**31, 2**63, 2**70),
    *(float("nan"), float("inf"), float("-inf")),
    *("", " ", "a", "\0", "a\0b", "\ud800", "..", "/", "1e20", "nan", "x" * 5000, "\u2028", "ﬁ٣"),
    *([], {}, [None], [[]], {"": None}, {"a": {"b": []}}, [1, "a", None], DEEP, LONG),
)
SNIPPETS = (
    b"\0",
    b"\r",
    b"\n",
    b"\t",
    b'"',
    b"|",
    b",",
    b":",
    b"[",
    b"{",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
)
HEAD = struct.Struct("<Q")


def damaged(path: Path, content: bytes, rng: Random) -> bytes:
    """The content of the file, damaged once or a few times."""
    kind = KINDS.get(path.suffix, _bytes)
    change = _bytes if rng.random() < 0.3 else kind
    return change(content, rng)


def _bytes(content: bytes, rng: Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        rng.choice(CHANGES)(data, rng)
    return bytes(data)


def _place(data: bytearray, rng: Random) -> int:
    """Headers are short and matter most, so half of the places are near the start."""
    end = min(len(data), 256) if rng.random() < 0.5 else len(data)
    return rng.randrange(end) if end else 0


def _flip(data: bytearray, rng: Random) -> None:
    if data:
        data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, rng: Random) -> None:
    place, size, number = _place(data, rng), rng.choice((1, 2, 4, 8)), rng.choice(NUMBERS)
    order = rng.choice(("little", "big"))
    data[place : place + size] = (number % 256**size).to_bytes(size, order)  # type: ignore[arg-type]


def _cut_off(data: bytearray, rng: Random) -> None:
    del data[_place(data, rng) :]


def _leave_out(data: bytearray, rng: Random) -> None:
    place = _place(data, rng)
    del data[place : place + rng.choice((1, 2, 3, 16, 200))]


def _insert(data: bytearray, rng: Random) -> None:
    place = _place(data, rng)
    data[place:place] = rng.choice((rng.randbytes(rng.randrange(1, 20)), rng.choice(SNIPPETS)))


def _repeat(data: bytearray, rng: Random) -> None:
    place = _place(data, rng)
    part = data[place : place + rng.randrange(1, 300)]
    data[place:place] = part * rng.choice((1, 1, 50))


def _blank(data: bytearray, rng: Random) -> None:
    place, size = _place(data, rng), rng.choice((4, 64, 1000))
    part = data[place : place + size]
    data[place : place + size] = bytes([rng.choice((0, 255))]) * len(part)


def _append(data: bytearray, rng: Random) -> None:
    data += rng.randbytes(rng.choice((1, 3, 100)))


CHANGES: tuple[Callable[[bytearray, Random], None], ...] = (
    *(_flip, _overwrite, _overwrite, _cut_off, _leave_out, _insert, _repeat, _blank, _append),
)


def _json(content: bytes, rng: Random) -> bytes:
    try:
        value = json.loads(content)
    except ValueError:
        return _bytes(content, rng)
    for _ in range(rng.choice((1, 1, 2))):
        value = changed(value, rng)
    return as_json(value).encode(errors="surrogatepass" if rng.random() < 0.2 else "replace")


def as_json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text.replace(json.dumps(DEEP), "[" * 100_000 + "]" * 100_000).replace(
        json.dumps(LONG), "9" * 5000
    )


def changed(value: Any, rng: Random) -> Any:
    """The value with one of its parts replaced, removed or added."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value, key=str))
        kind = rng.random()
        if kind < 0.1:
            return {k: v for k, v in value.items() if k != key}
        if kind < 0.15:
            return {**value, rng.choice(("", "x", "\ud800", "format")): rng.choice(ODD)}
        return {**value, key: changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        if rng.random() < 0.2:
            return [*value[:place], *value[place + 1 :]]
        return [*value[:place], changed(value[place], rng), *value[place + 1 :]]
    if isinstance(value, str) and rng.random() < 0.3:
        return _text(value.encode(errors="replace"), rng).decode(errors="replace")
    return rng.choice(ODD)


def _json_lines(content: bytes, rng: Random) -> bytes:
    lines = content.split(b"\n")
    place = rng.randrange(len(lines))
    return b"\n".join([*lines[:place], _json(lines[place], rng), *lines[place + 1 :]])


def _text(content: bytes, rng: Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        place = rng.randrange(len(data) + 1)
        kind = rng.random()
        if kind < 0.5:
            data[place:place] = rng.choice(SNIPPETS) * rng.choice((1, 1, 1, 3, 2000))
        elif kind < 0.75:
            data[place : place + rng.choice((1, 5, 50))] = b""
        else:
            data[place : place + 1] = rng.randbytes(1)
    return bytes(data)


def _yaml(content: bytes, rng: Random) -> bytes:
    lines = content.split(b"\n")
    place = rng.randrange(len(lines))
    key, colon, _ = lines[place].partition(b":")
    if not colon or rng.random() < 0.3:
        return _text(content, rng)
    value = as_json(rng.choice(ODD)).encode(errors="replace")
    return b"\n".join([*lines[:place], key + b": " + value, *lines[place + 1 :]])


def _safetensors(content: bytes, rng: Random) -> bytes:
    (size,) = HEAD.unpack_from(content)
    header, data = json.loads(content[8 : 8 + size]), bytearray(content[8 + size :])
    facts = header.setdefault("__metadata__", {})
    if rng.random() < 0.9:
        facts.pop("sha256", None)  # or else every change is only ever a wrong hash
    if facts and rng.random() < 0.6:
        key = rng.choice(sorted(facts))  # safetensors writes them in any order
        facts[key] = _fact(facts[key], rng)
    else:
        _change_tensor(header, data, rng)
    head = json.dumps(header, sort_keys=True).encode()
    head += b" " * (-len(head) % 8)
    return HEAD.pack(len(head)) + head + bytes(data)


def _fact(text: str, rng: Random) -> str:
    """A value of the metadata: often JSON."""
    try:
        return as_json(changed(json.loads(text), rng))
    except ValueError:
        return str(rng.choice(("", "nan", "inf", "0", "-1", "null", "\0", "1e400", "é", text[:-1])))


def _change_tensor(header: dict[str, Any], data: bytearray, rng: Random) -> None:
    names = sorted(name for name in header if name != "__metadata__")
    if not names:
        return
    name = rng.choice(names)
    tensor = header[name]
    kind = rng.random()
    same = {"F32": ("I32", "U32"), "F16": ("I16", "BF16"), "I16": ("F16", "U16"), "I64": ("F64",)}
    if kind < 0.3 and tensor["dtype"] in same:
        tensor["dtype"] = rng.choice(same[tensor["dtype"]])
    elif kind < 0.5:
        tensor["shape"] = rng.choice((tensor["shape"][::-1], [1, *tensor["shape"]]))
    elif kind < 0.6:
        header[rng.choice(("x", "", "codes", name + ".y"))] = header.pop(name)
    elif kind < 0.7:
        tensor["shape"], tensor["data_offsets"] = [0], [tensor["data_offsets"][0]] * 2
    else:
        start, end = tensor["data_offsets"]
        data[start:end] = rng.choice((b"\xff", b"\x00", b"\x7f")) * (end - start)


def _pickled(content: bytes, rng: Random) -> bytes:
    """A file of `torch.save`: parts of the dictionary are replaced, and it is written again."""
    import torch

    found = torch.load(BytesIO(content), weights_only=True)
    out = BytesIO()
    torch.save(changed(found, rng), out)
    return out.getvalue()


def _hdf5(content: bytes, rng: Random) -> bytes:
    """One of the datasets or attributes is replaced or removed."""
    import h5py

    out = BytesIO(content)
    with h5py.File(out, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        name = rng.choice(["/", *names])
        node = file[name]
        value = rng.choice((0, -1, "", "x", "{}", "null", [], [1.5], [[1]], ["a"], 2**62, b"\xff"))
        if node.attrs and rng.random() < 0.5:
            key = rng.choice(list(node.attrs))
            old = node.attrs[key]
            if isinstance(old, str) and old.startswith("{") and rng.random() < 0.8:
                node.attrs[key] = as_json(changed(json.loads(old), rng))[:60_000]
            else:
                node.attrs[key] = value
        elif name != "/":
            del file[name]
            if rng.random() < 0.8:
                file[name] = value
    return out.getvalue()


KINDS: dict[str, Callable[[bytes, Random], bytes]] = {
    ".json": _json,
    ".jsonl": _json_lines,
    ".yaml": _yaml,
    ".txt": _text,
    ".tsv": _text,
    ".csv": _text,
    ".safetensors": _safetensors,
    ".sft": _safetensors,
    ".pth": _pickled,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
}
