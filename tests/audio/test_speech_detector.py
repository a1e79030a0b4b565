from pathlib import Path

import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.audio.speech_detector import may_be_speech
from vall_e.synthesis.voice_library import Voices

SPEECH = Path(__file__).parents[1] / "speech"
RATE = 16_000
TIME = np.arange(3 * RATE) / RATE


@pytest.mark.parametrize("path", [*SPEECH.glob("*.flac"), *(v.path for v in Voices().entries())])
def test_speech_is_speech(path):
    clip = Clip.read(path)
    assert may_be_speech(clip)
    assert may_be_speech(clip.cut(0.5, 1.5))
    assert may_be_speech(clip.resample(8000))


def noise():
    return 0.1 * np.random.default_rng(0).standard_normal(len(TIME))


def chords():
    notes = sum(np.sin(2 * np.pi * pitch * TIME) for pitch in (220, 277, 330, 440))
    return 0.1 * notes * np.exp(-4 * (TIME % 0.5))


def hum():
    return 0.3 * np.sin(2 * np.pi * 110 * TIME)


def swelling_tone():
    return 0.1 * (1.5 + np.cos(2 * np.pi * 2 * TIME)) * np.sin(2 * np.pi * 440 * TIME)


@pytest.mark.parametrize("make", [noise, chords, hum, swelling_tone, lambda: np.zeros(RATE)])
def test_noise_and_music_are_not(make):
    assert not may_be_speech(Clip(make(), RATE))


def test_noise_in_the_background_does_not_hide_speech():
    clip = Clip.read(next(SPEECH.glob("*.flac"))).mono().resample(RATE)
    noise = 0.1 * clip.samples.std() * np.random.default_rng(0).standard_normal(len(clip.samples))
    assert may_be_speech(Clip(clip.samples + noise.astype("f4"), RATE))


def test_too_little_to_tell_passes():
    assert may_be_speech(Clip(np.zeros(100), RATE))
