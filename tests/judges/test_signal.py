import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.interfaces.judge import Evidence
from vall_e.testing import JudgeContract
from vall_e_judges.signal import Signal


class TestSignal(JudgeContract):
    figures = ("seconds", "seconds_per_word", "level_dbfs", "clipped", "silence")

    def make(self, case):
        return Signal()


def clip(samples):
    return Clip(np.asarray(samples, np.float32), 1000)


def figures(samples, text=""):
    return {
        name: s.value for name, s in Signal()(Evidence(clip(samples), text=text)).scores.items()
    }


def test_a_square_wave_of_half_scale_is_6_db_down():
    found = figures([0.5, -0.5] * 500, "one two three four")
    assert found["seconds"] == 1.0
    assert found["seconds_per_word"] == 0.25
    assert found["level_dbfs"] == pytest.approx(-6.02, abs=0.01)
    assert found["clipped"] == found["silence"] == 0.0


def test_clipped_samples_are_counted():
    assert figures([1.0, -1.0, 0.5, 0.5])["clipped"] == 0.5


def test_a_pause_is_what_is_40_db_below_the_loudest_moment():
    assert figures([0.5] * 600 + [0.004] * 400)["silence"] == pytest.approx(0.4)
    assert figures([0.5] * 600 + [0.006] * 400)["silence"] == 0.0


def test_a_pause_lasts_20_milliseconds_at_least():
    """Of 1000 samples a second, each tenth window of 20 is quiet; no shorter gap is."""
    gaps = ([0.5] * 180 + [0.0] * 20) * 5
    assert figures(gaps)["silence"] == pytest.approx(0.1)
    assert figures(([0.5] * 10 + [0.0] * 10) * 50)["silence"] == 0.0


def test_nothing_but_zeros_is_all_silence():
    found = figures([0.0] * 100)
    assert (found["silence"], found["level_dbfs"]) == (1.0, None)
