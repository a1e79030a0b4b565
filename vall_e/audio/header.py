"""Reads the header of a WAV or AIFF file, which libsndfile corrects silently."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNKNOWN = 0x7FFF0000
"""A size of at least this means "until the end": programs that write to a pipe use it."""


def promised_frames(data: bytes) -> int:
    """The number of frames in the header; 0 if it is missing, or for another format."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _of_wav(data)
    if data[:4] == b"FORM" and data[8:12] in (b"AIFF", b"AIFC"):
        return _of_aiff(data)
    return 0


def _of_wav(data: bytes) -> int:
    frame_bytes = 0
    for kind, size, place in _chunks(data, "<4sI"):
        if kind == b"fmt " and place + 14 <= len(data):
            (frame_bytes,) = struct.unpack_from("<H", data, place + 12)
        if kind == b"data":
            return size // frame_bytes if frame_bytes and size < _UNKNOWN else 0
    return 0


def _of_aiff(data: bytes) -> int:
    for kind, _, place in _chunks(data, ">4sI"):
        if kind == b"COMM" and place + 6 <= len(data):
            (frames,) = struct.unpack_from(">I", data, place + 2)
            return int(frames) if frames < _UNKNOWN else 0
    return 0


def _chunks(data: bytes, header: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, size and position of the content of each chunk."""
    place = 12
    while place + 8 <= len(data):
        kind, size = struct.unpack_from(header, data, place)
        yield kind, size, place + 8
        place += 8 + size + size % 2
