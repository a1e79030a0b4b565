"""Recordings opened for reading, from start to end or a part: the only place that decodes them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from attrs import define, field

from vall_e.audio.media import as_wav, media_kind
from vall_e.damaged_files import damage_as, printable
from vall_e.errors import AudioError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from jaxtyping import Float32

BLOCK = 1 << 18
"""Frames that are decoded at once: a damaged header may promise more than memory holds."""
HEAD_BYTES = 64
HINT = "give a wav, flac, ogg, opus or mp3 file; ffmpeg converts others"


@contextmanager
def open_audio(source: Path | bytes, name: str = "") -> Iterator[AudioFile]:
    """A recording in a file or in memory, `name` in messages. Raises `AudioError`.

    What libsndfile cannot read (m4a, aac, webm) is decoded by `vall_e.audio.media` first.
    """
    name = name or (str(source) if isinstance(source, Path) else "the audio")
    with _readable(source, name) as readable:
        with reading_audio(name):
            file = soundfile.SoundFile(
                os.fsencode(readable) if isinstance(readable, Path) else readable
            )
        with file:
            yield AudioFile(file, name)


def reading_audio(name: str) -> AbstractContextManager[None]:
    """Whatever a decoder raises becomes an `AudioError` about the recording with this name."""
    return damage_as(AudioError, name, what="is not readable audio", hint=HINT)


@contextmanager
def _readable(source: Path | bytes, name: str) -> Iterator[Path | BytesIO]:
    """What libsndfile can read: the source itself if possible."""
    head = source[:HEAD_BYTES] if isinstance(source, bytes) else _head(source)
    kind = media_kind(head)
    if kind:
        with as_wav(source, kind, name) as path:
            yield path
    else:
        yield BytesIO(source) if isinstance(source, bytes) else source


@define
class AudioFile:
    """An open recording. Its methods raise `AudioError`."""

    _file: soundfile.SoundFile
    name: str
    read_frames: int = field(default=0, init=False)
    """Frames that were read so far."""

    @property
    def sample_rate(self) -> int:
        return int(self._file.samplerate)

    @property
    def frames(self) -> int:
        """According to the header."""
        return int(self._file.frames)

    @property
    def seconds(self) -> float:
        """According to the header."""
        with reading_audio(self.name):
            return self.frames / self.sample_rate

    @property
    def comment(self) -> str:
        with reading_audio(self.name):
            return str(self._file.comment)

    def blocks(self) -> Iterator[Float32[np.ndarray, "s c"]]:
        """The rest of the recording, in pieces."""
        while len(block := self._block(BLOCK)):
            yield block

    def read(self, frames: int | None = None) -> Float32[np.ndarray, "s c"]:
        """The next frames, or all; fewer if the recording ends."""
        parts, wanted = [self._block(0)], frames
        while wanted != 0:
            block = self._block(BLOCK if wanted is None else min(wanted, BLOCK))
            if not len(block):
                break
            parts.append(block)
            wanted = None if wanted is None else wanted - len(block)
        with reading_audio(self.name):
            return np.concatenate(parts) if len(parts) != 2 else parts[1]

    def skip(self, frames: int) -> None:
        """Go forward, at most to the end; formats without random access are decoded up to there."""
        with reading_audio(self.name):
            if self._file.seekable():
                self._file.seek(min(frames, self.frames))
                return
        while frames > 0 and len(block := self._block(min(frames, BLOCK))):
            frames -= len(block)

    def _block(self, frames: int) -> Float32[np.ndarray, "s c"]:
        with reading_audio(self.name):
            block: np.ndarray = self._file.read(frames, dtype="float32", always_2d=True)
        self.read_frames += len(block)
        return block


def _head(path: Path) -> bytes:
    with opening_audio(path):
        if path.is_dir():
            raise AudioError(f"{path} is a folder, not a recording", hint="give a file")
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)


@contextmanager
def opening_audio(path: Path) -> Iterator[None]:
    """Raises `AudioError` for a file that cannot be opened, or a path that cannot be one's."""
    try:
        yield
    except FileNotFoundError as exc:
        raise AudioError(f"there is no file {printable(path)}", hint="check the path") from exc
    except OSError as exc:
        raise AudioError(
            f"{printable(path)} cannot be read: {exc.strerror}", hint="check its permissions"
        ) from exc
    except ValueError as exc:  # a null character, or half a character
        raise AudioError(
            f"{printable(path)!r} is not the path of a file: {exc}", hint="check the path"
        ) from exc
