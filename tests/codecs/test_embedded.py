import pytest
import torch
from attrs import evolve

from vall_e.plugin import CheckpointError
from vall_e.testing import CodecContract
from vall_e_codecs.components import build_embedded
from vall_e_codecs.embedded import weights
from vall_e_codecs.embedded.analysis import Analysis, AnalysisSettings
from vall_e_codecs.embedded.codec import EmbeddedCodec, open_codec
from vall_e_codecs.embedded.vocoder import VocoderSettings
from vall_e_codecs.options import EmbeddedCodecConfig


def tone(hertz=440.0, seconds=0.5, level=0.3):
    t = torch.arange(round(16_000 * seconds)) / 16_000
    return level * torch.sin(2 * torch.pi * hertz * t)[None]


class TestEmbedded(CodecContract):
    """The codec that VALL-E carries."""

    codec = open_codec(None)

    def make(self):
        return self.codec


def test_clipping_is_reported(tiny_weights, caplog):
    EmbeddedCodec(tiny_weights).encode(torch.full((1, 1, 320), 1.5))
    assert "samples up to 1.5 are clipped to [-1, 1]" in caplog.text


class TestUntrained(CodecContract):
    trained = False

    @pytest.fixture(autouse=True)
    def _weights(self, tiny_weights):
        self.weights = tiny_weights

    def make(self):
        return EmbeddedCodec(self.weights)


def test_vectors_do_not_depend_on_what_follows():
    analyse, settings = Analysis(AnalysisSettings()), AnalysisSettings()
    audio = tone()
    changed = audio.clone()
    changed[:, 11 * settings.hop :] = 0
    assert torch.equal(analyse(audio)[:, :10], analyse(changed)[:, :10])


def test_a_sine_is_loudest_in_its_band_and_sub_frames_follow_time():
    analyse = Analysis(AnalysisSettings())
    audio = torch.cat([tone(300, 0.01), tone(3000, 0.01)], dim=1)
    first, second = analyse(audio)[0, 0].unflatten(0, (2, 80))
    assert first.argmax() < 20
    assert second.argmax() > 40


def test_what_lies_below_the_noise_floor_is_silence():
    analyse = Analysis(AnalysisSettings())
    silence = analyse(torch.zeros(1, 3200))
    hiss = analyse(torch.randn(1, 3200, generator=torch.Generator().manual_seed(0)) / 65536)
    assert (hiss - silence).abs().max() < 0.5
    torch.testing.assert_close(silence, torch.full_like(silence, -80.0))


def test_identity_names_the_codes_and_not_the_vocoder(tiny_weights, codebooks):
    assert tiny_weights.identity == codebooks.identity
    assert codebooks.identity.startswith("embedded-16k:")
    louder = evolve(codebooks, analysis=AnalysisSettings(floor=1e-7))
    assert louder.identity != codebooks.identity


def test_a_file_gives_back_the_same_codec(tiny_weights, tmp_path):
    path = tmp_path / "codec.safetensors"
    weights.save(tiny_weights, path)
    made, read = EmbeddedCodec(tiny_weights), build_embedded(EmbeddedCodecConfig(path=path))
    assert read.identity == made.identity
    codes = made.encode(tone()[None])
    assert torch.equal(read.encode(tone()[None]), codes)
    assert torch.equal(read.decode(codes), made.decode(codes))


def test_codebooks_alone_encode_and_say_that_they_cannot_decode(codebooks):
    codec = EmbeddedCodec(codebooks)
    codes = codec.encode(tone()[None])
    with pytest.raises(CheckpointError, match="no vocoder"):
        codec.decode(codes)
    with pytest.raises(CheckpointError, match="no vocoder"):
        codec.stream()


def test_a_file_of_something_else_is_refused(tmp_path):
    from safetensors.torch import save_file

    other = tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(1)}, other)
    with pytest.raises(CheckpointError, match="not an embedded codec"):
        weights.load(other)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"no")
    for path in (damaged, tmp_path / "absent.safetensors"):
        with pytest.raises(CheckpointError, match=path.name):
            weights.load(path)


def test_weights_of_another_size_are_refused(tiny_weights):
    settings = {**tiny_weights.vocoder_settings, "width": 8}
    with pytest.raises(CheckpointError, match="do not fit"):
        EmbeddedCodec(evolve(tiny_weights, vocoder_settings=settings))


def test_sizes_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="multiple"):
        VocoderSettings(subframes=3)


def test_a_stream_is_late_by_its_delay_and_no_more(tiny_weights):
    codec = EmbeddedCodec(tiny_weights)
    hop, delay = 320, VocoderSettings().delay
    assert delay == 3
    stream = codec.stream()
    codes = torch.zeros(1, 3, 10, dtype=torch.long)
    assert stream.push(codes).shape[-1] >= (10 - delay) * hop


def test_frames_beyond_the_delay_change_nothing(tiny_weights):
    codec = EmbeddedCodec(tiny_weights)
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(32, (1, 3, 20), generator=generator)
    changed = codes.clone()
    changed[:, :, 13:] = 0
    same = (13 - VocoderSettings().delay) * 320
    before, after = codec.decode(codes), codec.decode(changed)
    torch.testing.assert_close(before[..., :same], after[..., :same])
    assert not torch.allclose(before[..., 13 * 320 :], after[..., 13 * 320 :])


def test_more_levels_reduce_the_error(tiny_weights):
    quantizer = tiny_weights.quantizer
    vectors = quantizer.mean + 12 * quantizer.codebooks[:, :8].sum(0, keepdim=True)
    codes = quantizer.encode(vectors)
    wanted = (vectors - quantizer.mean) / quantizer.scale
    errors = [(quantizer.decode(codes[:, :n]) - wanted).square().mean() for n in range(4)]
    assert errors == sorted(errors, reverse=True)
