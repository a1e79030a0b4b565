"""A WAV file written to a file or a pipe while its audio is generated."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO, Self

import numpy as np

from vall_e.audio.pcm import as_pcm16
from vall_e.errors import AudioError

if TYPE_CHECKING:
    from types import TracebackType

    from jaxtyping import Float

    from vall_e.audio.encoding import Note

UNKNOWN_SIZE = 0xFFFFFFFF
"""Players read this as "until the end" if the length is not known in advance."""
HEADER_BYTES = 44
"""Header size without a note."""
_BYTES = 2  # per sample


class WavStream:
    """Mono, 16 bit. The header is written first; its sizes follow at the end, if the file can seek.

    A `note` is in the header.

    The file stays open: it belongs to the caller.
    """

    def __init__(self, file: BinaryIO, sample_rate: int, note: Note | None = None) -> None:
        self._file = file
        self._information = _information(note) if note else b""
        self._sample_rate = sample_rate
        self._start = file.tell() if file.seekable() else None
        self._data_bytes = 0
        self._closed = False
        file.write(self._header(UNKNOWN_SIZE))
        file.flush()

    def write(self, samples: Float[np.ndarray, " s"]) -> None:
        """Write samples `(s,)` in [-1, 1] immediately; those beyond are clipped."""
        if self._closed:
            raise ValueError("this stream is closed")
        if samples.ndim != 1:
            raise ValueError(f"a stream needs mono samples (s,), not {samples.shape}")
        if not np.isfinite(samples).all():
            raise AudioError(
                "samples that are not finite cannot be written",
                hint="check where the audio comes from",
            )
        data = as_pcm16(samples).astype("<i2").tobytes()
        self._file.write(data)
        self._file.flush()
        self._data_bytes += len(data)

    @property
    def samples(self) -> int:
        """Samples written so far."""
        return self._data_bytes // _BYTES

    def close(self) -> None:
        """Write the sizes into the header, if the file can seek. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._start is not None:
            self._file.seek(self._start)
            self._file.write(self._header(self._data_bytes))
            self._file.seek(0, 2)
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or not issubclass(kind, BrokenPipeError):
            self.close()

    def _header(self, data_bytes: int) -> bytes:
        header_bytes = HEADER_BYTES + len(self._information)
        riff_bytes = min(data_bytes + header_bytes - 8, UNKNOWN_SIZE)
        rate = self._sample_rate
        start = struct.pack(
            "<4sI4s4sIHHIIHH",
            *(b"RIFF", riff_bytes, b"WAVE"),
            *(b"fmt ", 16, 1, 1, rate, rate * _BYTES, _BYTES, 8 * _BYTES),
        )
        return start + self._information + struct.pack("<4sI", b"data", data_bytes)


def _information(note: Note) -> bytes:
    """The chunk of a WAV file for text."""
    texts = b"".join(
        _chunk(kind, text.encode() + b"\0")
        for kind, text in ((b"ISFT", note.software), (b"ICMT", note.comment))
    )
    return _chunk(b"LIST", b"INFO" + texts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(data)) + data + b"\0" * (len(data) % 2)
