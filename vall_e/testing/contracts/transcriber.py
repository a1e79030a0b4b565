"""What every transcriber must do."""

from __future__ import annotations

import numpy as np

from vall_e.audio.clip import Clip
from vall_e.errors import TextError
from vall_e.interfaces.transcriber import Transcriber, Transcript
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.requirements import require_error

RATE = 16_000


class TranscriberContract:
    """`make` builds the transcriber; skip in it if its package or weights are missing."""

    def make(self) -> Transcriber:
        raise NotImplementedError

    @pytest.fixture
    def transcriber(self) -> Transcriber:
        return self.make()

    def test_passages_are_in_order_and_inside(self, transcriber: Transcriber) -> None:
        assert isinstance(transcriber, Transcriber), "it lacks `languages` or `__call__`"
        clip = _swelling(0, 2.0)
        end = 0.0
        for passage in transcriber(clip).passages:
            assert end <= passage.start < passage.end <= clip.seconds, (
                f"a passage from {passage.start} to {passage.end} s overlaps the one before, "
                f"or exceeds the clip of {clip.seconds} s"
            )
            assert passage.text.strip(), (
                f"the passage at {passage.start} s has no text: leave it out"
            )
            assert all(word.start <= word.end for word in passage.words), (
                "a word ends before it starts"
            )
            end = passage.end

    @pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0])
    def test_silence_can_be_transcribed(self, transcriber: Transcriber, seconds: float) -> None:
        silent = Clip(np.zeros(round(seconds * RATE), np.float32), RATE)
        found = transcriber(silent)
        assert isinstance(found, Transcript), f"silence gives {found!r}, not a Transcript"

    def test_earlier_recordings_have_no_effect(self, transcriber: Transcriber) -> None:
        first = transcriber(_swelling(0, 1.0))
        transcriber(_swelling(1, 1.5))
        assert transcriber(_swelling(0, 1.0)) == first, (
            "the transcript of a clip changes after another clip: state is kept between clips"
        )

    def test_accepts_any_rate_and_two_channels(self, transcriber: Transcriber) -> None:
        one = _swelling(0, 1.0, 24_000)
        found = transcriber(Clip(np.stack([one.samples] * 2), 24_000))
        assert isinstance(found, Transcript), f"stereo at 24 kHz gives {found!r}, not a Transcript"

    def test_an_unsupported_language_is_refused(self, transcriber: Transcriber) -> None:
        if not transcriber.languages:
            pytest.skip("it lists no languages")
        message = "an unsupported language is accepted: raise TextError that names it"
        with require_error(TextError, message, match="xx-none"):
            transcriber(_swelling(0, 1.0), language="xx-none")


def _swelling(seed: int, seconds: float, rate: int = RATE) -> Clip:
    """Noise, louder and softer four times a second, as syllables are."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return Clip((0.1 * np.sin(2 * np.pi * 2 * time) ** 2 * noise).astype(np.float32), rate)
