import numpy as np
import pytest
import torch

from vall_e.plugin import UnavailableError
from vall_e.testing import AudioEffectContract, contract_of
from vall_e_watermark_perth.components import vall_e_register_audio_effects
from vall_e_watermark_perth.network import PerthNetwork, find_weights, load_network
from vall_e_watermark_perth.options import PerthConfig
from vall_e_watermark_perth.perth import Perth

[PERTH] = vall_e_register_audio_effects()


@pytest.mark.slow
class TestPerth(contract_of("audio-effect", PERTH)):
    """Skipped where resemble-perth is not installed."""


class TestUntrainedPerth(AudioEffectContract):
    """All but the mark itself needs no weights."""

    def make(self):
        torch.manual_seed(0)
        return Perth(PerthConfig(block_seconds=0.5), PerthNetwork().eval())

    def test_finds_its_own_mark_only(self):
        pytest.skip("random weights find nothing")


@pytest.fixture
def installed():
    try:
        return load_network(find_weights())
    except UnavailableError as exc:
        pytest.skip(exc.message)


def noise(seconds, rate):
    return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * rate)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100])
def test_the_mark_survives_other_levels_and_some_noise(installed, rate):
    perth, audio = Perth(PerthConfig(), installed), noise(3, rate)
    stream = perth.stream(rate, {})
    marked = np.concatenate([stream.push(audio), stream.flush()])
    worse = 0.3 * marked + 0.01 * noise(3, rate)[::-1]
    assert perth.detect(worse, rate)
    assert perth.detect(audio, rate) is None


def test_a_pickle_is_not_run(tmp_path):
    trap, path = tmp_path / "ran", tmp_path / "perth.pth.tar"
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(trap).encode() + b"'\ntR.")
    with pytest.raises(UnavailableError, match="does not hold the weights of Perth"):
        load_network(path)
    assert not trap.exists()


def test_too_little_audio_has_no_mark():
    perth = Perth(PerthConfig(), PerthNetwork().eval())
    assert perth.detect(noise(0.05, 16_000), 16_000) is None
