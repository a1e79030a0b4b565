import pytest
import torch

from vall_e.testing import CodecContract, StaircaseCodec


class TestStaircase(CodecContract):
    def make(self):
        return StaircaseCodec()


class TestOtherSizes(CodecContract):
    def make(self):
        return StaircaseCodec(levels=2, codebook_size=5, sample_rate=24_000, frame_rate=75.0)


def test_identity_names_the_sizes():
    assert StaircaseCodec().identity != StaircaseCodec(levels=2).identity


def test_more_levels_reduce_the_error():
    codec = StaircaseCodec()
    audio = torch.linspace(-1, 1, 3200)[None, None]
    codes = codec.encode(audio)
    mean = audio.reshape(-1, 320).mean(1)
    for levels in range(1, 5):
        error = (codec.decode(codes[:, :levels])[0, 0, ::320] - mean).abs().max()
        assert error <= 16.0**-levels * 1.01


def test_samples_outside_are_clipped_with_a_warning(caplog):
    codec = StaircaseCodec()
    codec.encode(torch.full((1, 1, 320), 1.5))
    assert "samples up to 1.5 are clipped" in caplog.text


def test_frames_of_a_broken_number_of_samples_are_refused():
    with pytest.raises(ValueError, match=r"1333\.33 samples"):
        StaircaseCodec(sample_rate=16_000, frame_rate=12.0)
