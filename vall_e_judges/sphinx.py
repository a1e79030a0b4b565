"""Pocketsphinx as a transcriber: English, offline, with the model in its package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vall_e.plugin import Passage, TextError, Transcript, UnavailableError, Word
from vall_e_judges.judge_audio import SAMPLE_RATE
from vall_e_judges.optional_packages import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from vall_e.plugin import Sound
    from vall_e_judges.options import SphinxConfig

LONGEST_SECONDS = 30.0
"""Seconds that are transcribed at once."""
SEARCHED_SECONDS = 10.0
"""The cut is at the quietest place within the last seconds of a piece."""
WINDOW = SAMPLE_RATE // 20


class Sphinx:
    """Transcribes English; a pause ends a passage."""

    languages: Sequence[str] = ("en", "en-us")

    def __init__(self, config: SphinxConfig, device: str = "cpu") -> None:
        if device != "cpu":
            raise UnavailableError(
                f"pocketsphinx runs on the CPU only, not on {device!r}",
                hint="leave out --device, or use another transcriber: --with faster-whisper",
            )
        require("pocketsphinx", "pocketsphinx", what="transcriber")
        from vall_e_judges.pocketsphinx_recognizer import Recognizer

        self._listener = Recognizer.open()
        self._pause = config.pause_seconds
        self.on_seconds: Callable[[float], None] = lambda seconds: None

    def __call__(self, clip: Sound, *, language: str | None = None) -> Transcript:
        if language is not None and language not in self.languages:
            raise TextError(
                f"pocketsphinx supports English only, not {language!r}",
                hint="use another transcriber: --with faster-whisper",
            )
        samples = clip.mono().resample(SAMPLE_RATE).samples
        words: list[Word] = []
        for first, last in zip(*_cuts(samples), strict=True):
            at = first / SAMPLE_RATE
            words += [
                Word(round(start + at, 2), round(end + at, 2), text)
                for text, start, end in self._listener.words(samples[first:last])
            ]
            self.on_seconds(last / SAMPLE_RATE)
        return Transcript(tuple(_passages(words, self._pause)), "en-us")


def _cuts(samples: NDArray[np.float32]) -> tuple[list[int], list[int]]:
    """The first and the last sample of each piece."""
    longest, searched = (round(s * SAMPLE_RATE) for s in (LONGEST_SECONDS, SEARCHED_SECONDS))
    starts = [0]
    while len(samples) - starts[-1] > longest:
        end = starts[-1] + longest
        part = samples[end - searched : end].astype(np.float64) ** 2
        power = part[: len(part) // WINDOW * WINDOW].reshape(-1, WINDOW).mean(axis=1)
        starts.append(end - searched + int(power.argmin()) * WINDOW + WINDOW // 2)
    return starts, [*starts[1:], len(samples)]


def _passages(words: Sequence[Word], pause: float) -> Iterator[Passage]:
    run: list[Word] = []
    for word in words:
        if run and word.start - run[-1].end >= pause:
            yield _passage(run)
            run = []
        run.append(word)
    if run:
        yield _passage(run)


def _passage(words: Sequence[Word]) -> Passage:
    text = " ".join(word.text for word in words)
    return Passage(words[0].start, words[-1].end, text, words=tuple(words))
