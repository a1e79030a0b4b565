import numpy as np

from vall_e.audio.loudness import window_power


def test_a_full_scale_square_wave_has_power_one():
    np.testing.assert_allclose(window_power(np.array([1, -1] * 4, "f4"), 2), [1] * 4)


def test_power_is_the_mean_of_the_channels():
    both = np.stack([np.ones(4), np.zeros(4)]).astype("f4")
    np.testing.assert_allclose(window_power(both, 2), [0.5, 0.5])


def test_the_last_window_may_be_short():
    np.testing.assert_allclose(window_power(np.array([1, 1, 2], "f4"), 2), [1, 4])
    assert not window_power(np.zeros(0, "f4"), 2).size
