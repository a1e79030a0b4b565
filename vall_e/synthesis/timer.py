"""Seconds of work of one request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from attrs import define

from vall_e.synthesis.result import Timings


@define(eq=False)
class Clock:
    """Adds up the work that is done within `working`; what happens elsewhere is not counted."""

    ar_seconds: float = 0.0
    nar_seconds: float = 0.0
    codec_seconds: float = 0.0
    first_audio_seconds: float = 0.0
    total_seconds: float = 0.0

    @contextmanager
    def working(self) -> Iterator[None]:
        started = perf_counter()
        try:
            yield
        finally:
            self.total_seconds += perf_counter() - started

    @contextmanager
    def decoding_audio(self) -> Iterator[None]:
        started = perf_counter()
        try:
            yield
        finally:
            self.codec_seconds += perf_counter() - started

    def written(self, ar_seconds: float, nar_seconds: float) -> None:
        self.ar_seconds += ar_seconds
        self.nar_seconds += nar_seconds

    def heard(self) -> None:
        """There is audio. Called outside of `working`; only the first time counts."""
        self.first_audio_seconds = self.first_audio_seconds or self.total_seconds

    def timings(self) -> Timings:
        return Timings(
            self.ar_seconds,
            self.nar_seconds,
            self.codec_seconds,
            self.first_audio_seconds,
            self.total_seconds,
        )
