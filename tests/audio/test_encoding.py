"""Recordings that are written while they come."""

from io import BytesIO

import numpy as np
import pytest
from attrs import evolve

from vall_e.audio.encoding import ENCODINGS, encode, write_pieces, write_recording
from vall_e.errors import AudioError


def noise(samples, *shape):
    return np.random.default_rng(0).uniform(-0.5, 0.5, (*shape, samples)).astype("f4")


@pytest.mark.parametrize("rate", [24_000, 11_025])
@pytest.mark.parametrize("shape", [(), (2,)])
def test_pieces_are_the_whole(shape, rate):
    """Opus has no rate of 11,025 Hz, so that there it is resampled on the way."""
    sound = noise(5000, *shape)
    for kind in ("wav", "opus"):
        out, pieces = BytesIO(), np.split(sound, [0, 1, 2000, 2000], axis=-1)
        seconds = write_pieces(out, pieces, rate, ENCODINGS[kind])
        assert seconds == pytest.approx(5000 / rate, abs=1e-3)
        if kind == "wav":
            assert out.getvalue() == encode(sound, rate, kind)
        else:  # each Ogg stream has a number drawn at random
            assert len(out.getvalue()) == pytest.approx(len(encode(sound, rate, kind)), rel=0.01)


def test_what_a_file_cannot_hold_is_refused_and_not_left_behind(tmp_path):
    wav = evolve(ENCODINGS["wav"], most_samples=1500)
    with pytest.raises(AudioError, match="holds at most 1500 samples") as caught:
        write_pieces(BytesIO(), [noise(500, 2), noise(500, 2)], 8000, wav)
    assert "flac" in caught.value.hint
    with pytest.raises(AudioError, match="no samples to write"):
        write_recording(tmp_path / "a.wav", iter([noise(0)]), 8000)
    with pytest.raises(AudioError, match="cannot be written: No such file"):
        write_recording(tmp_path / "no" / "a.wav", iter([noise(9)]), 8000)
    assert list(tmp_path.iterdir()) == []
