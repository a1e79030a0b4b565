import numpy as np
import pytest
from postprocess import LEVEL_DECIBELS, SAMPLE_RATE, TooShortError, finish, level, trim


def tone(seconds, rate=SAMPLE_RATE, hertz=220.0, loudness=0.3):
    time = np.arange(int(seconds * rate)) / rate
    return (loudness * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def silence(seconds):
    return np.zeros(int(seconds * SAMPLE_RATE), np.float32)


def test_every_recording_gets_the_same_level():
    for loudness in (0.01, 0.3, 1.0):
        rms = np.sqrt(np.mean(level(tone(1, loudness=loudness)) ** 2))
        assert abs(20 * np.log10(rms) - LEVEL_DECIBELS) < 0.01


def test_a_peaky_recording_does_not_clip():
    click = np.full(SAMPLE_RATE, 1e-3, np.float32)
    click[100] = 1.0
    assert np.abs(level(click)).max() <= 0.9701


def test_silence_at_the_ends_is_cut_to_a_tenth_of_a_second():
    trimmed = trim(np.concatenate([silence(2), tone(1), silence(2)]))
    assert abs(len(trimmed) / SAMPLE_RATE - (1 + 1 / 12 + 1 / 8)) < 0.01


def test_a_pause_within_stays():
    trimmed = trim(np.concatenate([tone(1), silence(1), tone(1)]))
    assert len(trimmed) >= 3 * SAMPLE_RATE - 10


def test_warping_moves_pitch_and_duration_together():
    plain = finish(tone(2, rate=16_000), 16_000)
    warped = finish(tone(2, rate=16_000), 16_000, warp=1.25)
    assert abs(len(plain) / len(warped) - 1.25) < 0.01
    assert abs(pitch(warped) / pitch(plain) - 1.25) < 0.01


def pitch(samples):
    return np.abs(np.fft.rfft(samples)).argmax() * SAMPLE_RATE / len(samples)


@pytest.mark.parametrize("samples", [tone(0.2), silence(1), silence(0)])
def test_what_says_nothing_is_refused(samples):
    with pytest.raises(TooShortError):
        finish(samples, SAMPLE_RATE)
