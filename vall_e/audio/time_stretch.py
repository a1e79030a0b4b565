"""Changes the speed of speech without its pitch, while the audio streams through. Torch-free.

WSOLA (Verhelst and Roelands 1993, https://doi.org/10.1109/ICASSP.1993.319366): overlapping windows
are laid down closer or wider than they were taken, each moved a little to where the waveform
continues most like it did before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from vall_e.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Waveform = NDArray[np.float32]

SLOWEST, FASTEST = 0.25, 4.0
HOP_SECONDS = 0.015
"""Half a window: two periods of a low voice fit into one."""
SEARCH_SECONDS = 0.01
"""How far a window may move: one period of a low voice."""


def check_speed(speed: float) -> float:
    """Raise `ConfigError` for a factor that cannot be used."""
    if not (isinstance(speed, (int, float)) and SLOWEST <= speed <= FASTEST):
        raise ConfigError(
            f"speed must be a number from {SLOWEST:g} to {FASTEST:g}, got {speed!r}",
            hint="1 is the voice's own speed, 1.5 is half as fast again",
        )
    return float(speed)


class TimeStretch:
    """A stream of samples (s,) that becomes `speed` times shorter.

    The output does not depend on how the input is cut. Raises `ConfigError` for a bad speed.
    """

    def __init__(self, speed: float, sample_rate: int) -> None:
        self._speed = check_speed(speed)
        self._hop = max(1, round(HOP_SECONDS * sample_rate))
        self._search = max(1, round(SEARCH_SECONDS * sample_rate))
        self._window = np.hanning(2 * self._hop + 1)[:-1].astype(np.float32)
        self._input = np.zeros(self._search, np.float32)  # the first window may move back
        self._dropped = 0
        """Samples that were removed from the start of `_input`."""
        self._received = self._sent = self._frames = 0
        self._ended = False
        self._tail = np.zeros(self._hop, np.float32)
        self._natural = self._search
        """Where the last window would continue, in samples of the padded input."""

    def push(self, audio: Waveform) -> Waveform:
        """Give more input; returns the output that it completes, perhaps nothing."""
        if self._speed == 1.0:
            return audio
        self._received += len(audio)
        self._input = np.concatenate([self._input, audio])
        return self._advance()

    def flush(self) -> Waveform:
        """The rest of the output: `received / speed` samples in all."""
        if self._speed == 1.0:
            return np.zeros(0, np.float32)
        self._ended = True
        wanted = round(self._received / self._speed) - self._sent
        room = np.zeros(2 * self._search + 4 * self._hop, np.float32)
        rest: Waveform = np.zeros(0, np.float32)
        while len(rest) < wanted:
            self._input = np.concatenate([self._input, room])
            rest = np.concatenate([rest, self._advance()])
        return rest[:wanted]

    def _advance(self) -> Waveform:
        """Lay down every window whose search range has arrived."""
        parts = [np.zeros(0, np.float32)]
        size = 2 * self._hop
        while True:
            ideal = self._search + round(self._frames * self._hop * self._speed)
            last = max(ideal + self._search, self._natural) + size
            ahead = (self._frames + 1) * self._hop * self._speed > self._received
            if last > self._dropped + len(self._input) or (ahead and not self._ended):
                break
            start = self._best(ideal, size)
            piece = self._at(start, size) * self._window
            if self._frames == 0:
                piece[: self._hop] = self._at(start, self._hop)  # nothing fades in before it
            parts.append(self._tail + piece[: self._hop])
            self._tail = piece[self._hop :]
            self._natural = start + self._hop
            self._frames += 1
            self._forget(min(self._natural, ideal) - self._search)
        out = np.concatenate(parts)
        self._sent += len(out)
        return out

    def _best(self, ideal: int, size: int) -> int:
        """The start near `ideal` whose window looks most like the natural continuation."""
        if self._frames == 0:
            return ideal
        wanted = self._at(self._natural, size)
        near = self._at(ideal - self._search, size + 2 * self._search)
        windows = sliding_window_view(near, size)
        energy = np.sqrt(np.einsum("ns,ns->n", windows, windows)) + 1e-6
        return ideal - self._search + int(np.argmax(windows @ wanted / energy))

    def _at(self, start: int, size: int) -> Waveform:
        first = start - self._dropped
        return self._input[first : first + size]

    def _forget(self, before: int) -> None:
        gone = max(0, before - self._dropped)
        self._input = self._input[gone:]
        self._dropped += gone
