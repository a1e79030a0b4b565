import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.audio.loudness import level_of, lufs, within
from vall_e.audio.power import window_power


def test_a_full_scale_square_wave_has_power_one():
    np.testing.assert_allclose(window_power(np.array([1, -1] * 4, "f4"), 2), [1] * 4)


def test_power_is_the_mean_of_the_channels():
    both = np.stack([np.ones(4), np.zeros(4)]).astype("f4")
    np.testing.assert_allclose(window_power(both, 2), [0.5, 0.5])


def test_the_last_window_may_be_short():
    np.testing.assert_allclose(window_power(np.array([1, 1, 2], "f4"), 2), [1, 4])
    assert not window_power(np.zeros(0, "f4"), 2).size


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100])
def test_loudness_is_that_of_the_standard(rate):
    """BS.1770: a sine of 997 Hz at full scale has -3.01 LUFS; silence does not count."""
    tone = np.sin(2 * np.pi * 997 * np.arange(2 * rate) / rate).astype(np.float32)
    assert lufs(tone, rate) == pytest.approx(-3.01, abs=0.05)
    assert lufs(tone / 10, rate) == pytest.approx(-23.01, abs=0.05)
    quiet = np.concatenate([tone, np.zeros(6 * rate, np.float32)])
    assert lufs(quiet, rate) == pytest.approx(-3.01, abs=0.4)
    assert lufs(np.zeros(10, np.float32), rate) == -70


@pytest.mark.parametrize(("amplitude", "level"), [(0.5, -20.0), (0.05, -26.0), (0.005, -30.0)])
def test_a_clip_is_brought_between_two_levels(amplitude, level):
    square = Clip(amplitude * np.tile([1, -1], 8000), 16_000)
    assert level_of(within(square, (-30.0, -20.0))) == pytest.approx(level, abs=0.1)
