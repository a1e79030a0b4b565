"""What the header of a WAV file says, which libsndfile corrects without a word."""

from __future__ import annotations

import struct

_UNKNOWN = 0x7FFF0000
"""From here on, a size means "until the end": programs that write to a pipe put such."""


def promised_frames(data: bytes) -> int:
    """The frames that a WAV file says to have; 0 if it does not say, or is no WAV file."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return 0
    place, frame_bytes = 12, 0
    while place + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, place)
        if kind == b"fmt " and place + 22 <= len(data):
            (frame_bytes,) = struct.unpack_from("<H", data, place + 20)
        if kind == b"data":
            return size // frame_bytes if frame_bytes and size < _UNKNOWN else 0
        place += 8 + size + size % 2
    return 0
