import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.audio.silence import fade, join, trim
from vall_e.errors import AudioError

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


def test_fading_starts_and_ends_near_zero():
    faded = fade(clip((1, 0.5)), 0.01)
    assert abs(faded.samples[0]) < 0.01 > abs(faded.samples[-1])
    np.testing.assert_array_equal(faded.samples[80:-80], 0.5)


def test_a_clip_shorter_than_its_fades_is_still_faded():
    assert fade(clip((0.001, 0.5)), 1.0).samples.max() < 0.5
    assert fade(clip((0, 0.0)), 1.0).seconds == 0


def test_joined_clips_have_a_pause_between():
    joined = join([clip((0.5, 0.1)), clip((0.5, 0.2))], pause_seconds=0.25)
    assert joined.seconds == 1.25
    assert not joined.samples[4000:6000].any()
    assert joined.samples[3999] == pytest.approx(0.1)
    assert joined.samples[6000] == pytest.approx(0.2)


def test_clips_of_different_kinds_are_not_joined():
    with pytest.raises(AudioError, match="2 channels at 8000 Hz") as caught:
        join([clip((0.5, 0.1)), clip((0.5, 0.1), channels=2)])
    assert "Clip.mono" in caught.value.hint
    with pytest.raises(AudioError, match="no clips to join"):
        join([])
