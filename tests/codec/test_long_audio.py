"""Long recordings in chunks, and codes put together."""

import numpy as np
import pytest
import soundfile
import torch

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.cli.codec.files import write_sound
from vall_e.codec import long_audio
from vall_e.codec.edit import cut, join, silence
from vall_e.codec.encode import decode, encode
from vall_e.codec.long_audio import decode_pieces, encode_file, encode_pieces
from vall_e.errors import DataError
from vall_e.interfaces.codec import Local
from vall_e.testing import StaircaseCodec


class Blurred(StaircaseCodec):
    """Each frame is encoded from the sound of two frames before and after it, and decoded so."""

    causal = False
    encode_context = decode_context = 2
    longest = 0

    def encode(self, audio):
        self.longest = max(self.longest, audio.shape[-1])
        return super().encode(self._mean(audio))

    def decode(self, codes):
        return self._mean(super().decode(codes))

    def _mean(self, sound):
        reach = 2 * self.hop
        width = torch.nn.functional.pad(sound, (reach, reach))
        return (width[..., : -2 * reach] + sound + width[..., 2 * reach :]) / 3


def noise(seconds, rate=16_000):
    samples = np.random.default_rng(0).uniform(-1, 1, round(seconds * rate))
    return samples.astype(np.float32)


def pieces(samples, size):
    return (samples[start : start + size] for start in range(0, len(samples), size))


@pytest.mark.parametrize("samples", [0, 1, 9_600, 50_001])
@pytest.mark.parametrize("size", [700, 20_000])
def test_chunks_of_a_codec_that_sees_only_so_far_are_the_whole(samples, size):
    codec, sound = Blurred(), noise(4)[:samples]
    assert isinstance(codec, Local)
    whole = encode(Clip(sound, codec.sample_rate), codec)
    codec.longest = 0
    found = encode_pieces(pieces(sound, size), codec, seconds=0.5)
    assert found == whole
    assert codec.longest <= 0.5 * codec.sample_rate + 5 * codec.hop
    again = list(decode_pieces(found, codec, seconds=0.5))
    np.testing.assert_array_equal(
        np.concatenate([np.zeros(0, np.float32), *again]), decode(whole, codec).samples
    )


def test_a_causal_codec_decodes_without_a_seam():
    codec = StaircaseCodec()
    codes = encode(Clip(noise(3), codec.sample_rate), codec)
    parts = list(decode_pieces(codes, codec, seconds=0.3))
    assert len(parts) > 9
    np.testing.assert_array_equal(np.concatenate(parts), decode(codes, codec).samples)


def test_a_long_file_is_read_piece_by_piece(tmp_path, monkeypatch):
    """Resampled in a stream, in flat memory, with the codes of the whole file."""
    codec, path = Blurred(), tmp_path / "long.flac"
    soundfile.write(path, np.stack([noise(8, 24_000)] * 2, axis=1), 24_000)
    whole = encode(Clip.read(path), codec)
    monkeypatch.setattr(long_audio, "WHOLE_SECONDS", 1.0)
    monkeypatch.setattr(long_audio, "CHUNK_SECONDS", 1.0)
    found = encode_file(path, codec)
    assert (found.samples, found.sample_rate) == (8 * 24_000, 24_000)
    assert found.codes.values.shape == whole.values.shape
    assert (found.codes.values == whole.values).mean() > 0.999


def test_silence_has_no_edges():
    codec = Blurred()
    codes = silence(codec, 7, levels=1)
    assert codes.values.shape == (1, 7)
    assert len(np.unique(codes.values, axis=1)) == 1
    assert abs(decode(silence(codec, 7), codec).samples).max() < 0.1
    assert silence(codec, 0).frames == 0


def test_codes_are_joined_with_a_pause_and_cut_again():
    codec = StaircaseCodec()
    one, two = (encode(Clip(noise(s), codec.sample_rate), codec).levels(2) for s in (0.5, 1))
    joined = join([one, two], codec, pause=0.2)
    pause = round(0.2 * codec.frame_rate)
    assert joined.frames == one.frames + pause + two.frames
    assert cut(joined, 0.0, one.seconds) == one
    assert cut(joined, joined.seconds - two.seconds) == two
    assert join([one], codec) == one
    with pytest.raises(DataError, match="no codes to join"):
        join([], codec)
    for start, end in ((9.0, None), (1.0, 1.0), (-1.0, 1.0)):
        with pytest.raises(DataError, match="nothing lies between"):
            cut(one, start, end)


def test_codes_encoded_again_are_those_of_the_joined_sound():
    codec = Blurred()
    parts = [encode(Clip(noise(s), codec.sample_rate), codec) for s in (0.5, 1)]
    plain, again = join(parts, codec), join(parts, codec, again=True)
    sound = decode(Codes.join(parts), codec)
    assert again == encode(sound, codec)
    assert again.values.shape == plain.values.shape
    assert not np.array_equal(again.values, plain.values)


class Counting(StaircaseCodec):
    """Notes how many frames it was given at once."""

    causal = False
    longest = 0

    def decode(self, codes):
        self.longest = max(self.longest, codes.shape[-1])
        return super().decode(codes)


def test_an_hour_of_codes_is_decoded_and_written_in_chunks(tmp_path):
    codec, target = Counting(sample_rate=400), tmp_path / "x.flac"
    values = np.random.default_rng(0).integers(0, 16, (2, 3600 * 50)).astype(np.int16)
    codes = Codes(values, codec.identity, codec.frame_rate, codec.sample_rate)
    assert write_sound(codes, codec, source=tmp_path / "x", target=target) == 3600
    assert codec.longest <= 50 * (long_audio.CHUNK_SECONDS + 2 * long_audio.SEAM_SECONDS)
    found = Clip.read(target).samples
    np.testing.assert_allclose(found, decode(codes, codec).samples, atol=1e-4)
