import numpy as np
import pytest

from vall_e.audio.time_stretch import TimeStretch
from vall_e.errors import ConfigError

RATE = 16_000


def voice(seconds=2.0, pitch=120.0):
    """A pulse train with a slow envelope: as periodic as a vowel."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 12))
    return (0.1 * wave * (1.2 + np.sin(2 * np.pi * 2 * time))).astype(np.float32)


def stretched(audio, speed, *, piece=None):
    stream = TimeStretch(speed, RATE)
    pieces = [audio] if piece is None else np.split(audio, range(piece, len(audio), piece))
    return np.concatenate([*(stream.push(p) for p in pieces), stream.flush()])


def pitch_of(audio):
    middle = audio[len(audio) // 4 :][:8000].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    low = spectrum[: round(200 * len(middle) / RATE)]
    return np.argmax(low) * RATE / len(middle)


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.8, 1.25, 2.0, 4.0])
def test_speech_becomes_shorter_by_the_factor_and_keeps_its_pitch_and_level(speed):
    audio = voice(seconds=4.0)
    made = stretched(audio, speed)
    assert len(made) == round(len(audio) / speed)
    assert pitch_of(made) == pytest.approx(120.0, abs=3.0)
    level = np.sqrt(np.mean(made**2)) / np.sqrt(np.mean(audio**2))
    assert 0.85 < level < 1.15


@pytest.mark.parametrize("piece", [1, 37, 1000, 8000])
def test_the_output_does_not_depend_on_how_the_input_is_cut(piece):
    audio = voice(seconds=0.4)
    assert np.array_equal(stretched(audio, 1.3, piece=piece), stretched(audio, 1.3))


def test_at_its_own_speed_speech_is_not_touched():
    audio = voice(seconds=0.3)
    assert np.array_equal(stretched(audio, 1.0, piece=100), audio)


@pytest.mark.parametrize("samples", [0, 1, 100, 500])
def test_a_snippet_shorter_than_a_window_keeps_its_length(samples):
    audio = voice()[:samples]
    assert len(stretched(audio, 0.5)) == 2 * samples


@pytest.mark.parametrize("speed", [0.0, 0.2, 4.1, float("nan"), float("inf"), "fast", None])
def test_a_speed_that_cannot_be_used_is_refused(speed):
    with pytest.raises(ConfigError, match=r"speed must be a number from 0\.25 to 4"):
        TimeStretch(speed, RATE)
