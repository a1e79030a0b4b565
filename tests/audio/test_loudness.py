import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vall_e.audio.clip import Clip
from vall_e.audio.loudness import normalize, rms_db, window_power


def noise(level=0.1, channels=()):
    rng = np.random.default_rng(0)
    return Clip(rng.uniform(-level, level, (*channels, 4000)).astype("f4"), 8000)


def test_a_full_scale_square_wave_is_zero_db():
    assert rms_db(Clip(np.array([1.0, -1.0] * 100), 8000)) == pytest.approx(0)


def test_silence_has_no_level():
    assert rms_db(Clip(np.zeros(10), 8000)) == rms_db(Clip(np.zeros(0), 8000)) == float("-inf")


@given(st.floats(-60, -10), st.sampled_from([(), (2,)]))
def test_the_target_is_reached(target, channels):
    assert rms_db(normalize(noise(channels=channels), target)) == pytest.approx(target, abs=0.01)


def test_no_sample_passes_the_peak():
    loud = normalize(noise(), 0.0, peak=0.5)
    assert np.abs(loud.samples).max() == pytest.approx(0.5)


def test_silence_stays_silent():
    assert not normalize(Clip(np.zeros(10), 8000), -20).samples.any()


def test_the_last_window_may_be_short():
    np.testing.assert_allclose(window_power(np.array([1, 1, 2], "f4"), 2), [1, 4])
    assert not window_power(np.zeros(0, "f4"), 2).size
