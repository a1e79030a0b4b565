"""Mimi on small random weights, in the file in which the real ones come."""

import hashlib

import pytest
import torch
from safetensors.torch import save_file

from vall_e.plugin import CheckpointError, ConfigError, DownloadError
from vall_e.testing import CodecContract
from vall_e_codec_mimi import mimi
from vall_e_codec_mimi.components import build_mimi, vall_e_register_codecs
from vall_e_codec_mimi.options import MimiConfig

SIZES = mimi.MimiSizes(width=16, filters=2, dimension=8, inner=16, layers=1, heads=2, window=12)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("mimi") / "model.safetensors"
    state = mimi.network(SIZES).state_dict()
    save_file({mimi.name_in_file(name): random_like(name, t) for name, t in state.items()}, path)
    return path


def random_like(name, tensor):
    """Such that signals neither fade nor explode on their way."""
    if name.endswith(("cluster_usage", "initialized", "layernorm.weight", "layer_scale.scale")):
        return torch.ones_like(tensor)
    if name.endswith("embed_sum"):  # each level's entries are half as far apart
        level = int(name.split(".layers.")[1].split(".")[0])
        return torch.randn_like(tensor) * 0.7**level
    size = tensor[0].numel() if tensor.ndim > 1 else 1
    loud = 2 if name.startswith("encoder") else 1
    return torch.randn_like(tensor) * (0.05 if tensor.ndim == 1 else loud * size**-0.5)


@pytest.fixture(scope="module")
def codec(file):
    return mimi.mimi_of(file, levels=4, sizes=SIZES)


class TestMimi(CodecContract):
    trained = False

    @pytest.fixture(autouse=True)
    def _codec(self, codec):
        self.codec = codec

    def make(self):
        return self.codec


def test_sound_is_that_of_the_whole_network(file):
    """Our pieces of it are what transformers makes in one go, beyond the attention's window too."""
    codec = mimi.mimi_of(file, levels=5, sizes=SIZES)
    codes = torch.randint(2048, (2, 5, 20), generator=torch.Generator().manual_seed(0))
    expected = codec.module.decode(codes).audio_values
    torch.testing.assert_close(codec.decode(codes), expected, rtol=1e-3, atol=1e-4)


def test_fewer_levels_are_the_first_ones(file):
    audio = 0.3 * torch.randn(1, 1, 9000, generator=torch.Generator().manual_seed(0))
    many, few = (mimi.mimi_of(file, levels=n, sizes=SIZES) for n in (6, 2))
    assert many.encode(audio)[:, :2].equal(few.encode(audio))
    assert many.identity == few.identity


def test_it_is_offered_under_its_name():
    [component] = vall_e_register_codecs()
    assert component.name == "mimi"


def test_another_file_is_refused(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match="does not contain the weights of Mimi"):
        mimi.mimi_of(tmp_path / "x.safetensors", levels=8, sizes=SIZES)


def test_nothing_is_fetched_unasked_or_without_a_version(tmp_path):
    with pytest.raises(DownloadError) as caught:
        build_mimi(MimiConfig(cache=tmp_path))
    assert "https://huggingface.co/kyutai/mimi" in caught.value.hint
    with pytest.raises(ConfigError, match="the version of the weights"):
        build_mimi(MimiConfig(download=True, cache=tmp_path))


def test_what_the_config_pins_is_fetched_and_checked(tmp_path, monkeypatch):
    """From a hub in a folder: the file of that commit, with that hash, or none."""
    file = tmp_path / "kyutai/mimi" / "resolve" / "abc" / "model.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no weights")
    monkeypatch.setenv("HF_ENDPOINT", tmp_path.as_uri())
    options = {"download": True, "revision": "abc", "cache": tmp_path / "cache"}
    with pytest.raises(DownloadError, match=r"kyutai/mimi/resolve/abc/.* has SHA-256"):
        build_mimi(MimiConfig(sha256="0" * 64, **options))
    assert not list((tmp_path / "cache").iterdir())
    sha256 = hashlib.sha256(b"no weights").hexdigest()
    with pytest.raises(CheckpointError, match="has no readable weights"):
        build_mimi(MimiConfig(sha256=sha256, **options))
    [kept] = (tmp_path / "cache").iterdir()
    assert kept.name == f"{sha256[:16]}-model.safetensors"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    kept.unlink()
    with pytest.raises(DownloadError, match="downloads are disabled"):
        build_mimi(MimiConfig(sha256=sha256, **options))
