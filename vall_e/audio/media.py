"""Voice memos and films (m4a, aac, webm, mp4, amr, wma), decoded by ffmpeg or by PyAV."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from vall_e.damaged_files import damage_as
from vall_e.errors import AudioError

SIGNATURES = (
    ("MP4", 4, b"ftyp"),
    ("WebM", 0, b"\x1aE\xdf\xa3"),
    ("AAC", 0, b"ADIF"),
    ("AMR", 0, b"#!AMR"),
    ("WMA", 0, b"0&\xb2u\x8ef\xcf\x11"),
)
"""Names of formats, and the bytes at a place near the start of their files."""
NEEDED = "install ffmpeg, or pip install 'vall-e[media]'"
"""What to do where neither is installed."""
CONVERT = "or convert it to a wav, flac, ogg, opus or mp3 file"
LONGEST_SECONDS = 1800.0
"""Time that ffmpeg may take."""

Decoder = Callable[[Path, Path], None]
"""Writes the sound of the first file as a W64 file to the second path."""


def media_kind(head: bytes) -> str:
    """The name of the format by the first bytes of a file; empty for those of libsndfile."""
    for name, place, mark in SIGNATURES:
        if head[place : place + len(mark)] == mark:
            return name
    # A frame of AAC begins like one of MP3, but for two bits.
    return "AAC" if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 else ""


def find_decoder(folders: str | None = None) -> Decoder | None:
    """ffmpeg, if it is in one of these folders (default: those of PATH), or else PyAV."""
    program = shutil.which("ffmpeg", path=folders)
    if program:
        return lambda source, target: decode_with_ffmpeg(source, target, program)
    return decode_with_pyav if find_spec("av") else None


@contextmanager
def as_wav(
    source: Path | bytes, kind: str, name: str, *, find: Callable[[], Decoder | None] = find_decoder
) -> Iterator[Path]:
    """A temporary file with the sound, which libsndfile reads. Raises `AudioError`."""
    decoder = find()
    if decoder is None:
        raise AudioError(f"{name} is {kind} audio: to read it, {NEEDED}", hint=CONVERT)
    with TemporaryDirectory(prefix="vall-e-") as folder:
        target, copy = Path(folder) / "decoded.w64", Path(folder) / "given"
        if isinstance(source, bytes):
            copy.write_bytes(source)
        with damage_as(AudioError, name, what=f"is not readable {kind} audio", hint=CONVERT):
            decoder(copy if isinstance(source, bytes) else source, target)
        yield target


def decode_with_ffmpeg(source: Path, target: Path, program: str) -> None:
    """Raises `ValueError` with the last line of what ffmpeg says."""
    # "file:", since ffmpeg reads a name with a colon as an address; and nothing but files.
    words = ["-nostdin", "-v", "error", "-y", "-protocol_whitelist", "file"]
    given = ["-i", f"file:{os.path.abspath(source)}", "-map", "0:a:0"]
    made = ["-c:a", "pcm_f32le", "-f", "w64", f"file:{target}"]
    found = subprocess.run(  # noqa: S603  no shell
        [program, *words, *given, *made],
        capture_output=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if found.returncode:
        lines = found.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(lines[-1] if lines else f"ffmpeg ended with {found.returncode}")


def decode_with_pyav(source: Path, target: Path) -> None:
    """With the libraries of ffmpeg that the package `av` contains."""
    import av
    import soundfile

    with av.open(str(source)) as container:
        stream = container.streams.audio[0]
        rate, layout = stream.rate, stream.layout
        resampler = av.AudioResampler(format="flt", layout=layout, rate=rate)
        with soundfile.SoundFile(
            target, "w", samplerate=rate, channels=layout.nb_channels, format="W64", subtype="FLOAT"
        ) as file:
            for frame in container.decode(stream):
                for part in resampler.resample(frame):
                    file.write(part.to_ndarray().reshape(-1, layout.nb_channels))
            for part in resampler.resample(None):
                file.write(part.to_ndarray().reshape(-1, layout.nb_channels))
