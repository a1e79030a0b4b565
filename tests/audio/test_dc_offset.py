import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.audio.dc_offset import without_offset
from vall_e.audio.silence import trim

WAVE = np.sin(np.arange(800, dtype=np.float32) * np.float32(np.pi / 40)) / 4


@pytest.mark.parametrize("offset", [0.2, -0.05])
def test_an_offset_is_taken_off_each_channel(offset):
    clip = Clip(np.stack([WAVE + np.float32(offset), WAVE]), 8000)
    np.testing.assert_allclose(without_offset(clip).samples, [WAVE, WAVE], atol=1e-6)


def test_a_sound_recording_stays_as_it_is():
    clip = Clip(WAVE + np.float32(1e-3), 8000)
    assert without_offset(clip) is clip
    empty = Clip(np.zeros(0, np.float32), 8000)
    assert without_offset(empty) is empty


def test_silence_with_an_offset_is_trimmed_once_that_is_gone():
    silence = np.zeros(8000, np.float32)
    clip = Clip(np.concatenate([silence, WAVE, silence]) + np.float32(0.2), 8000)
    assert trim(clip).seconds > 2
    assert trim(without_offset(clip)).seconds < 0.3
