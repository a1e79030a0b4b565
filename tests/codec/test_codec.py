import numpy as np
import pytest
from attrs import evolve

import vall_e
from vall_e.errors import AudioError, CheckpointError, DataError, VallEError


@pytest.fixture(scope="module")
def codec():
    return vall_e.Codec.load(device="cpu")


@pytest.fixture(scope="module")
def clip():
    time = np.arange(16_000) / 16_000
    return vall_e.Clip((0.3 * np.sin(2 * np.pi * 200 * time)).astype(np.float32), 16_000)


def test_a_recording_becomes_codes_and_sound_again(codec, clip, tmp_path):
    clip.write(tmp_path / "a.wav")
    codes = codec.encode(tmp_path / "a.wav")
    assert codes.values.shape == (codec.levels, round(clip.seconds * codec.frame_rate))
    assert codes.values.max() < codec.codebook_size
    assert np.array_equal(codec.encode(str(tmp_path / "a.wav")).values, codes.values)
    sound = codec.decode(codes)
    assert sound.sample_rate == codec.sample_rate
    assert sound.seconds == pytest.approx(clip.seconds, abs=1 / codec.frame_rate)
    coarse = codec.decode(codes.levels(1))
    assert coarse.samples.shape == sound.samples.shape
    assert not np.array_equal(coarse.samples, sound.samples)


def test_a_stream_joined_is_the_whole_sound(codec, clip):
    codes = codec.encode(clip)
    joined = np.concatenate([piece.samples for piece in codec.stream(codes)])
    assert np.array_equal(joined, codec.decode(codes).samples)


def test_it_says_what_it_is(codec):
    assert f"{codec.levels} levels of {codec.codebook_size}" in repr(codec)
    assert codec.identity in repr(codec)


def test_codes_of_another_codec_are_refused(codec, clip):
    codes = codec.encode(clip)
    with pytest.raises(CheckpointError, match="these codes are from other"):
        codec.decode(evolve(codes, codec="other"))
    with pytest.raises(DataError, match="levels"):
        codec.decode(evolve(codes, values=np.concatenate([codes.values, codes.values])))


def test_what_cannot_be_opened_is_an_error_of_ours(codec, tmp_path):
    with pytest.raises(AudioError, match=r"gone\.wav"):
        codec.encode(tmp_path / "gone.wav")
    with pytest.raises(VallEError, match="there is no codec called 'embeded'"):
        vall_e.Codec.load("embeded")
