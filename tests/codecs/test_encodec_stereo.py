"""EnCodec at 48 kHz on small random weights, in the files in which the real ones come."""

import numpy as np
import pytest
import soundfile
import torch
from attrs import evolve
from safetensors.torch import save_file

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.cli.codec.files import write_sound
from vall_e.codec import long_audio
from vall_e.codec.blocks import encode_blocks
from vall_e.codec.edit import cut, join
from vall_e.codec.long_audio import decode_pieces, encode_clip, encode_file
from vall_e.errors import DataError
from vall_e.plugin import CheckpointError, ConfigError, DownloadError
from vall_e.testing import CodecContract
from vall_e_codecs import encodec_stereo
from vall_e_codecs.components import build_encodec
from vall_e_codecs.encodec_names import reference_names
from vall_e_codecs.options import EncodecConfig
from vall_e_codecs.package_check import imports

SIZES = evolve(encodec_stereo.SIZES, filters=4, dimension=8, lstm_layers=1)


@pytest.fixture(scope="module")
def state(random_encodec):
    """Random weights, by their names in transformers."""
    return random_encodec(SIZES)


@pytest.fixture(scope="module")
def codec(hub_file):
    return small(hub_file)


def small(path, choice="transformers"):
    return encodec_stereo.stereo_of(path, levels=4, choice=choice, sizes=SIZES)


def music(samples=100_000):
    """Two channels that differ, louder and louder."""
    t = np.arange(samples) / 48_000
    both = np.stack([np.sin(2000 * t), np.sin(1500 * t) + 0.1 * np.sin(9000 * t)])
    return (0.2 * both * (0.1 + t)).clip(-1, 1).astype("f4")


class TestEncodecStereo(CodecContract):
    trained = False

    @pytest.fixture(autouse=True)
    def _codec(self, codec):
        self.codec = codec

    def make(self):
        return self.codec


@pytest.mark.parametrize("samples", [300, 48_120, 100_000])
def test_blocks_are_those_of_the_model_of_transformers(hub_file, samples):
    """What it does in its own `encode` and `decode`, with the published settings."""
    codec = small(hub_file)
    config, sound = codec.module.config, music(samples)
    config.normalize, config.chunk_length_s, config.overlap = True, 1.0, 0.01
    ours = encode_blocks([sound], codec)
    with torch.no_grad():
        codes, loudness, padded = codec.module.encode(
            torch.from_numpy(sound)[None], bandwidth=6.0, return_dict=False
        )
        again = codec.module.decode(codes, loudness, last_frame_pad_length=padded)[0]
    blocks = np.split(ours.values, np.cumsum(ours.blocks.frames)[:-1], axis=1)
    for mine, theirs in zip(blocks, codes[:, 0], strict=True):
        np.testing.assert_array_equal(mine, theirs[:, : mine.shape[1]].numpy())
    np.testing.assert_allclose(ours.blocks.loudness, torch.cat(loudness)[:, 0], rtol=1e-5)
    heard = np.concatenate(list(decode_pieces(ours, codec)), axis=1)
    np.testing.assert_allclose(heard, again[0].clamp(-1, 1).numpy(), atol=1e-4)


@pytest.mark.skipif(not imports("encodec"), reason="the package encodec does not import here")
def test_blocks_are_those_of_the_reference_package(codec, package_file):
    theirs, sound = small(package_file, "encodec"), music()
    assert theirs.identity == codec.identity
    model = theirs.module
    model.segment, model.normalize = 1.0, True
    model.set_target_bandwidth(6.0)
    ours = encode_blocks([sound], codec)
    assert encode_blocks([sound], theirs) == ours
    with torch.no_grad():
        blocks = model.encode(torch.from_numpy(sound)[None])
        again = model.decode(blocks)[0].clamp(-1, 1)
    found = np.concatenate([codes[0].numpy() for codes, _ in blocks], axis=1)
    np.testing.assert_array_equal(ours.values, found)
    np.testing.assert_allclose(ours.blocks.loudness, [float(x) for _, x in blocks], rtol=1e-5)
    heard = np.concatenate(list(decode_pieces(ours, codec)), axis=1)
    np.testing.assert_allclose(heard, again.numpy(), atol=1e-4)


def test_files_of_both_projects_give_the_same_codec(codec, package_file, state):
    names = reference_names(state)
    assert "encoder.model.0.conv.norm.weight" in names
    assert "decoder.model.3.convtr.norm.bias" in names
    other = small(package_file)
    assert other.identity == codec.identity
    assert encode_blocks([music(9000)], other) == encode_blocks([music(9000)], codec)


def test_a_stereo_file_becomes_codes_and_stereo_again(codec, tmp_path, monkeypatch):
    """Read, encoded and written in pieces; another rate and mono are brought to the codec's."""
    soundfile.write(tmp_path / "a.wav", music().T, 48_000)
    whole = encode_file(tmp_path / "a.wav", codec)
    assert whole.codes.blocks.starts.tolist() == [0, 47_520, 95_040]
    assert whole.codes.seconds == pytest.approx(100_000 / 48_000, abs=1 / 150)
    monkeypatch.setattr(long_audio, "WHOLE_SECONDS", 1.0)
    assert encode_file(tmp_path / "a.wav", codec) == whole
    whole.codes.levels(2).save(tmp_path / "a.codes.safetensors")
    codes = Codes.load(tmp_path / "a.codes.safetensors", codec=codec.identity)
    assert codes == whole.codes.levels(2)
    write_sound(codes, codec, source=tmp_path / "a.codes.safetensors", target=tmp_path / "b.wav")
    again = Clip.read(tmp_path / "b.wav")
    assert (again.channels, again.sample_rate) == (2, 48_000)
    assert again.seconds == codes.seconds
    mono = encode_clip(Clip(music(20_000)[0], 24_000), codec)
    assert mono.blocks.frames.tolist() == [125]
    assert mono == encode_clip(Clip(np.stack([music(20_000)[0]] * 3), 24_000), codec)


def test_what_is_louder_comes_back_louder(codec):
    sound = music(40_000)
    soft, loud = (
        np.concatenate(list(decode_pieces(encode_blocks([gain * sound], codec), codec)), axis=1)
        for gain in (0.1, 0.4)
    )
    np.testing.assert_allclose(loud.clip(-0.99, 0.99), (4 * soft).clip(-0.99, 0.99), atol=0.02)


def test_codes_in_blocks_are_joined_with_a_pause_and_cut(codec):
    one = encode_blocks([music(60_000)], codec)
    joined = join([one, one], codec, pause=0.5)
    assert joined.seconds == pytest.approx(2 * one.seconds + 0.5, abs=1 / 100)
    assert joined.blocks.loudness[2] < 1e-6
    part = cut(joined, one.seconds + 0.5)
    assert part.seconds == pytest.approx(one.seconds, abs=1 / 100)
    np.testing.assert_array_equal(part.values, one.values)
    middle = cut(one, 0.5, 1.1)
    assert (middle.frames, middle.blocks.starts[0]) == (75 + 17, 0)
    heard = np.concatenate(list(decode_pieces(middle, codec)), axis=1)
    assert heard.shape[1] == round(middle.seconds * 48_000)
    plain = evolve(one, blocks=None)
    with pytest.raises(DataError, match="made in blocks cannot be joined with others"):
        join([one, plain], codec)
    with pytest.raises(DataError, match="blocks with 189 frames do not match 75"):
        evolve(one, values=one.values[:, :75])
    assert join([one, one], codec, again=True).seconds == pytest.approx(2.5, abs=0.02)


def test_what_does_not_fit_is_refused(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match="the weights of the 48 kHz EnCodec"):
        small(tmp_path / "x.safetensors")
    with pytest.raises(ConfigError, match="has 16 levels at 48000 Hz, got 20"):
        build_encodec(EncodecConfig(sample_rate=48_000, levels=20))
    with pytest.raises(DownloadError, match="at 48 kHz are not on this machine"):
        build_encodec(EncodecConfig(sample_rate=48_000, cache=tmp_path))
    for sha256 in ("", "d7cc33bc"):
        with pytest.raises(ConfigError, match="begins with 7e698e3e"):
            build_encodec(EncodecConfig(sample_rate=48_000, download=True, sha256=sha256))
