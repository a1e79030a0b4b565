"""What every transcriber must do."""

from __future__ import annotations

import numpy as np

from vall_e.audio.clip import Clip
from vall_e.errors import TextError
from vall_e.interfaces.transcriber import Transcriber, Transcript
from vall_e.testing.contracts.pytest_words import pytest

RATE = 16_000


class TranscriberContract:
    """`make` builds the transcriber; skip in it where its package or weights are missing."""

    def make(self) -> Transcriber:
        raise NotImplementedError

    @pytest.fixture
    def transcriber(self) -> Transcriber:
        return self.make()

    def test_passages_are_in_order_and_inside(self, transcriber: Transcriber) -> None:
        assert isinstance(transcriber, Transcriber)
        clip = _swelling(0, 2.0)
        end = 0.0
        for passage in transcriber(clip).passages:
            assert end <= passage.start < passage.end <= clip.seconds
            assert passage.text.strip()
            assert all(word.start <= word.end for word in passage.words)
            end = passage.end

    @pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0])
    def test_silence_can_be_heard(self, transcriber: Transcriber, seconds: float) -> None:
        silent = Clip(np.zeros(round(seconds * RATE), np.float32), RATE)
        assert isinstance(transcriber(silent), Transcript)

    def test_what_was_heard_before_changes_nothing(self, transcriber: Transcriber) -> None:
        first = transcriber(_swelling(0, 1.0))
        transcriber(_swelling(1, 1.5))
        assert transcriber(_swelling(0, 1.0)) == first

    def test_another_rate_and_two_channels_are_no_matter(self, transcriber: Transcriber) -> None:
        one = _swelling(0, 1.0, 24_000)
        assert isinstance(transcriber(Clip(np.stack([one.samples] * 2), 24_000)), Transcript)

    def test_a_language_that_it_lacks_is_refused(self, transcriber: Transcriber) -> None:
        if not transcriber.languages:
            pytest.skip("it has no list of languages")
        with pytest.raises(TextError, match="xx-none"):
            transcriber(_swelling(0, 1.0), language="xx-none")


def _swelling(seed: int, seconds: float, rate: int = RATE) -> Clip:
    """Noise, louder and softer four times a second, as syllables are."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return Clip((0.1 * np.sin(2 * np.pi * 2 * time) ** 2 * noise).astype(np.float32), rate)
