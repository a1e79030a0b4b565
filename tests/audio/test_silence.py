import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.audio.silence import trim

RATE = 8000


def clip(*seconds_and_levels, channels=None):
    parts = [np.full(round(seconds * RATE), level) for seconds, level in seconds_and_levels]
    samples = np.concatenate(parts)
    return Clip(samples if channels is None else np.stack([samples] * channels), RATE)


@pytest.mark.parametrize("channels", [None, 2])
def test_silent_ends_are_trimmed(channels):
    padded = clip((1, 0.0), (0.5, 0.3), (0.2, 0.0), (0.5, 0.3), (1, 0.001), channels=channels)
    trimmed = trim(padded, keep_seconds=0.1)
    assert trimmed.seconds == pytest.approx(1.2 + 0.2, abs=0.021)
    assert np.abs(trimmed.samples).max() == pytest.approx(0.3)


def test_a_clip_without_silence_stays_whole():
    whole = clip((0.5, 0.3))
    assert trim(whole) == whole


def test_nothing_but_silence_becomes_empty():
    assert trim(clip((1, 0.0))).seconds == 0
    assert trim(clip((0, 0.0))).seconds == 0
