"""Audio in memory: read from any file that libsndfile supports, resampled, checked, written."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
import soxr
from attrs import Attribute, cmp_using, evolve, field, frozen, validators

from vall_e.atomic_write import write_atomically
from vall_e.audio.audio_file import open_audio, opening_audio
from vall_e.audio.encoding import Note, encode, format_of
from vall_e.audio.header import promised_frames
from vall_e.audio.power import window_power
from vall_e.errors import AudioError

if TYPE_CHECKING:
    from jaxtyping import Float32, Num

SILENT_DB = -60.0
"""A recording whose loudest part is below this counts as silent: quieter than any room."""
SILENT_WINDOW_SECONDS = 0.05
FULL_SCALE = 0.999
MISSING_SECONDS = 0.1
"""Rounding may make an mp3 file this much shorter than its header says."""
CANCELLED = 0.1
"""Channels cancel each other if their sum has less than this share of the loudest one's power."""
LOUDEST = 4.0
"""Float files may exceed full scale slightly; beyond this, they have another scale."""
CLIPPED_SAMPLES = 10
"""This many samples at full scale, three or more in a row, mean clipping."""

log = logging.getLogger(__name__)


def _as_float32(samples: Num[np.ndarray, "*c s"]) -> Float32[np.ndarray, "*c s"]:
    samples = np.asarray(samples)
    if not np.issubdtype(samples.dtype, np.floating):
        raise TypeError(f"samples must be floats in [-1, 1], not {samples.dtype}")
    return np.ascontiguousarray(samples, dtype=np.float32)


def _one_or_two_axes(_: object, __: Attribute[Any], samples: Float32[np.ndarray, "*c s"]) -> None:
    if samples.ndim not in (1, 2):
        raise ValueError(f"samples must be (s,) or (c, s), not {samples.shape}")


@frozen
class Clip:
    """Samples in [-1, 1], `(s,)` if mono, otherwise `(c, s)`; and a name for messages."""

    samples: Float32[np.ndarray, "*c s"] = field(
        converter=_as_float32, validator=_one_or_two_axes, eq=cmp_using(eq=np.array_equal)
    )
    sample_rate: int = field(validator=validators.gt(0))
    name: str = field(default="the audio", eq=False, kw_only=True)

    @classmethod
    def read(cls, source: str | Path | BinaryIO) -> Self:
        """Read a wav, flac, ogg, opus or mp3 file (by content, not by suffix), or an open file.

        m4a, aac, webm and mp4 files need ffmpeg or PyAV: see `vall_e.audio.media`. An open file is
        read to its end, and may be a pipe. Raises `AudioError`.
        """
        if isinstance(source, str | Path):
            return cls._of_bytes(_bytes_of(Path(source)), str(source))
        name = getattr(source, "name", None)  # a pipe's name is a number
        return cls._of_bytes(source.read(), name if isinstance(name, str) else "the audio")

    @classmethod
    def _of_bytes(cls, data: bytes, name: str) -> Self:
        if not data:
            raise AudioError(f"{name} is empty", hint="give a recording")
        with open_audio(data, name) as file:
            rate, promised = file.sample_rate, max(file.frames, promised_frames(data))
            samples = file.read()
        missing = (promised - len(samples)) / rate
        if missing > MISSING_SECONDS:
            raise AudioError(
                f"{name} is cut off: {missing:.2f} s of {promised / rate:.2f} s are missing",
                hint="copy or download it again, or convert it with ffmpeg to keep the rest",
            )
        return cls(samples[:, 0] if samples.shape[1] == 1 else samples.T, rate, name=name)

    @property
    def seconds(self) -> float:
        return int(self.samples.shape[-1]) / self.sample_rate

    @property
    def channels(self) -> int:
        return 1 if self.samples.ndim == 1 else len(self.samples)

    def mono(self) -> Self:
        """The mean of the channels, as `(s,)`; if they cancel each other, the loudest of them."""
        if self.samples.ndim == 1:
            return self
        mean, powers = self.samples.mean(axis=0), np.square(self.samples).sum(axis=1)
        summed = float(np.square(mean).sum()) * self.channels**2
        if summed < CANCELLED * powers.max(initial=0.0):
            return evolve(self, samples=self.samples[int(powers.argmax())])
        return evolve(self, samples=mean)

    def resample(self, sample_rate: int) -> Self:
        """Convert to another rate, with soxr at high quality."""
        if sample_rate == self.sample_rate:
            return self
        samples = soxr.resample(self.samples.T, self.sample_rate, sample_rate, quality="HQ").T
        return evolve(self, samples=samples, sample_rate=sample_rate)

    def cut(self, start: float, end: float | None = None) -> Self:
        """The part from `start` to `end` in seconds, as far as it is within the clip."""
        if start < 0 or (end is not None and end < start):
            raise ValueError(
                f"a cut needs times of at least 0, the earlier first, not {start} to {end}"
            )
        first = round(start * self.sample_rate)
        last = None if end is None else round(end * self.sample_rate)
        return evolve(self, samples=self.samples[..., first:last])

    def check(
        self,
        *,
        min_seconds: float = 0.0,
        max_seconds: float = float("inf"),
        what: str | None = None,
    ) -> Self:
        """The clip itself if it is valid; otherwise raises `AudioError`.

        Not finite, far over full scale, empty, silent, too short and too long are errors; clipping
        is a warning.
        """
        what = what or self.name
        if self.samples.size == 0:
            raise AudioError(f"{what} has no samples", hint="give another recording")
        if not np.isfinite(self.samples).all():
            bad = int((~np.isfinite(self.samples)).sum())
            raise AudioError(
                f"{what} has {bad} samples that are not finite numbers", hint="write the file again"
            )
        peak = float(np.abs(self.samples).max())
        if peak > LOUDEST:
            raise AudioError(
                f"{what} has samples up to {peak:.4g}, not in [-1, 1]",
                hint="divide them by the full scale of their format, or write a 16-bit file",
            )
        if self.seconds < min_seconds:
            raise AudioError(
                f"{what} is too short: {self.seconds:.2f} s, at least {min_seconds:g} s are needed",
                hint="give a longer recording",
            )
        if self.seconds > max_seconds:
            raise AudioError(
                f"{what} is too long: {self.seconds:.2f} s, at most {max_seconds:g} s are allowed",
                hint="split it into shorter recordings",
            )
        if self._loudest_db() < SILENT_DB:
            level = f"nowhere louder than {self._loudest_db():.0f} dB"
            raise AudioError(
                f"{what} is silent: {level if self.samples.any() else 'all its samples are 0'}",
                hint="check the microphone, or give another recording",
            )
        self._warn_if_clipped(what)
        return self

    def write(
        self,
        target: str | Path | BinaryIO,
        format: str | None = None,  # noqa: A002
        *,
        note: Note | None = None,
    ) -> None:
        """Write as wav, flac, ogg, opus or mp3: by `format`, else the path's suffix, else wav.

        A file is written completely or not at all. Samples over full scale are clipped with a
        warning.
        """
        if isinstance(target, str | Path):
            path = Path(target)
            data = encode(self.samples, self.sample_rate, format or format_of(path), note)
            write_atomically(path, data, error=AudioError)
        else:  # libsndfile needs to seek, which a pipe cannot
            target.write(encode(self.samples, self.sample_rate, format or "wav", note))
            target.flush()

    def _loudest_db(self) -> float:
        """RMS of the loudest window in dB of full scale."""
        power = window_power(self.samples, round(SILENT_WINDOW_SECONDS * self.sample_rate))
        return float(10 * np.log10(power.max() + 1e-20))

    def _warn_if_clipped(self, what: str) -> None:
        full = np.abs(self.samples) >= FULL_SCALE
        in_a_row = full[..., 2:] & full[..., 1:-1] & full[..., :-2]
        if in_a_row.sum() >= CLIPPED_SAMPLES:
            log.warning(
                "%s is clipped at %d samples: record it again with less gain, if possible",
                what,
                int(full.sum()),
            )


def _bytes_of(path: Path) -> bytes:
    with opening_audio(path):
        if path.is_dir():
            raise AudioError(f"{path} is a folder, not a recording", hint="give a file")
        return path.read_bytes()
