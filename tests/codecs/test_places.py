"""Codecs run where they are told to, and what speaks and encodes brings them their inputs."""

import numpy as np
import pytest
import torch

from vall_e.audio.clip import Clip
from vall_e.data.ingest.encode_recording import Preparer
from vall_e.data.ingest.recordings import Recording
from vall_e.device import device_of, place_codec
from vall_e.errors import UnavailableError
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.synthesis.voice import Voice
from vall_e.testing import StaircaseCodec, tiny_bundle
from vall_e_codecs.embedded.codec import EmbeddedCodec


class Elsewhere(torch.nn.Module, StaircaseCodec):
    """Its weights are on meta, which stands for a GPU; it notes where it is sent."""

    def __init__(self):
        torch.nn.Module.__init__(self)
        StaircaseCodec.__init__(self)
        self.register_buffer("weight", torch.zeros(1, device="meta"))
        self.sent, self.pushed = [], 0

    def to(self, device):
        self.sent.append(torch.device(device))
        return self

    def encode(self, audio):
        assert audio.is_meta
        return super().encode(torch.zeros(audio.shape, device="cpu"))

    def decode(self, codes):
        assert codes.is_meta
        self.pushed += 1
        return super().decode(torch.zeros(codes.shape, dtype=torch.long, device="cpu"))


def noise(seconds=1.0):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, round(16_000 * seconds))
    return Clip(samples.astype("f4"), 16_000)


def test_a_codec_with_weights_is_moved_and_another_runs_anywhere(tiny_weights):
    codec = EmbeddedCodec(tiny_weights)
    assert device_of(codec) == torch.device("cpu")
    assert place_codec(codec, torch.device("meta")) is codec
    assert device_of(codec) == torch.device("meta")
    staircase = StaircaseCodec()
    assert place_codec(staircase, torch.device("meta")) is staircase
    assert device_of(staircase) == torch.device("cpu")


def test_codecs_keep_off_mps():
    codec = Elsewhere()
    place_codec(codec, torch.device("mps"))
    assert codec.sent == []


def test_a_synthesizer_places_its_codec_and_brings_it_its_inputs(registry):
    codec = Elsewhere()
    synthesizer = Synthesizer.of(tiny_bundle(registry, StaircaseCodec()), codec)
    assert codec.sent == [synthesizer.device]
    voice = Voice.of(noise(), codec, name="v", seconds=1.0)
    assert synthesizer.synthesize("Hello.", voice=voice, seed=0).audio.size
    assert codec.pushed


class Letters:
    def phonemes(self, text, language):
        return text


def test_recordings_are_encoded_where_the_codec_is(tmp_path):
    noise().write(tmp_path / "a.wav")
    preparer = Preparer(Elsewhere(), Letters(), "letters", ("en-us",))
    prepared = preparer(Recording("a", tmp_path / "a.wav", "hello", "ann", None))
    assert prepared.codes.shape == (50, 4)


def test_a_device_that_is_not_here_is_refused(registry, tmp_path):
    from vall_e.config.load import load
    from vall_e.data.ingest.encode_recording import make_preparer
    from vall_e.data.ingest.options import IngestOptions

    config = load(None, registry)
    with pytest.raises(UnavailableError, match="--device: cuda:99"):
        make_preparer(config, IngestOptions(max_seconds=1.0, device="cuda:99"))
