"""DAC on small random weights, in the file in which the real ones come."""

import hashlib

import pytest
import torch
from attrs import evolve
from safetensors.torch import save_file

from vall_e.plugin import CheckpointError, ConfigError, DownloadError, UnavailableError
from vall_e.testing import CodecContract
from vall_e_codec_dac import dac, tensor_names
from vall_e_codec_dac.components import build_dac, vall_e_register_codecs
from vall_e_codec_dac.options import DacConfig
from vall_e_codecs.kit import imports

SIZES = dac.DacSizes(encoder=2, decoder=16)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("dac") / "model.safetensors"
    state = {name: random_like(name, t) for name, t in dac.unloaded(SIZES).state_dict().items()}
    save_file(state, path)
    return path


def random_like(name, tensor):
    """Such that signals neither fade nor explode on their way."""
    if name.endswith(".alpha"):
        return torch.ones_like(tensor)
    size = tensor[0].numel() if tensor.ndim == 3 else 1
    return torch.randn_like(tensor) * (0.1 if tensor.ndim == 1 else size**-0.5)


def small(path, levels=9, choice="transformers"):
    return dac.dac_of(path, levels=levels, sizes=SIZES, choice=choice)


@pytest.fixture(scope="module")
def codec(file):
    return small(file)


class TestDac(CodecContract):
    trained = False

    @pytest.fixture(autouse=True)
    def _codec(self, codec):
        self.codec = codec

    def make(self):
        return self.codec


def named_as_in_the_package(name):
    """The other way round from `tensor_names.canonical`, written from the package's modules."""
    half, *rest = name.split(".")
    if half == "quantizer":
        return name
    top = "encoder.block" if half == "encoder" else "decoder.model"
    if rest[0] != "block":
        place = {"conv1": 0, "snake1": 5, "conv2": 6}[rest[0]]
        return f"{top}.{place}.{rest[1]}"
    block, place, *end = int(rest[1]) + 1, *rest[2:]
    if place.startswith("res_unit"):
        unit = int(place[-1]) - (1 if half == "encoder" else -1)
        layer = {"snake1": 0, "conv1": 1, "snake2": 2, "conv2": 3}[end[0]]
        return f"{top}.{block}.block.{unit}.block.{layer}.{end[1]}"
    layers = {"encoder": {"snake1": 3, "conv1": 4}, "decoder": {"snake1": 0, "conv_t1": 1}}[half]
    return f"{top}.{block}.block.{layers[place]}.{end[0]}"


@pytest.fixture(scope="module")
def package_file(file, tmp_path_factory):
    """The same weights as Descript's server has them: in two parts, beside other things."""
    path, parts = tmp_path_factory.mktemp("dac") / "weights.pth", {}
    for name, tensor in small(file).module.state_dict().items():
        theirs = named_as_in_the_package(name)
        if name.endswith(".weight") and "codebook" not in name:
            length, direction = tensor_names.split(tensor)
            parts |= {f"{theirs}_g": length, f"{theirs}_v": direction * 3}
        else:
            parts[theirs] = tensor
    torch.save({"state_dict": parts, "metadata": {"kwargs": {"encoder_dim": 2}}}, path)
    return path


def test_files_of_both_projects_give_the_same_codec(file, package_file):
    one, two = small(file), small(package_file)
    assert one.identity == two.identity
    audio = 0.3 * torch.randn(1, 1, 9000, generator=torch.Generator().manual_seed(0))
    codes = one.encode(audio)
    assert torch.equal(two.encode(audio), codes)
    torch.testing.assert_close(two.decode(codes), one.decode(codes), rtol=1e-3, atol=1e-4)


@pytest.mark.skipif(not imports("dac"), reason="the package dac does not import here")
@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_the_reference_package_agrees(file, package_file):
    ours, theirs = small(file), small(package_file, choice="dac")
    assert "dac" in type(theirs.module).__module__
    audio = 0.3 * torch.randn(2, 1, 9000, generator=torch.Generator().manual_seed(0))
    codes = ours.encode(audio)
    assert torch.equal(theirs.encode(audio), codes)
    torch.testing.assert_close(theirs.decode(codes), ours.decode(codes), rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(imports("dac"), reason="the package dac imports here")
def test_a_package_that_is_not_here_is_named(file):
    with pytest.raises(UnavailableError, match="dac cannot be imported"):
        small(file, choice="dac")


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100])
def test_each_rate_has_its_frames_and_levels(rate, tmp_path):
    sizes = evolve(dac.PUBLISHED[rate], encoder=2, decoder=16)
    torch.manual_seed(0)
    save_file(dac.unloaded(sizes).state_dict(), tmp_path / "model.safetensors")
    codec = dac.dac_of(tmp_path / "model.safetensors", levels=sizes.levels, sizes=sizes)
    codes = codec.encode(torch.zeros(1, 1, rate // 10))
    frames = {16_000: 5, 24_000: 8, 44_100: 9}[rate]
    assert codes.shape == (1, {16_000: 12, 24_000: 32, 44_100: 9}[rate], frames)
    assert codec.identity.startswith(f"dac-{rate // 1000}k:")


def test_levels_that_it_lacks_are_refused():
    with pytest.raises(ConfigError, match="dac has 9 levels at 44100 Hz, got 12"):
        build_dac(DacConfig(levels=12))


def test_another_file_is_refused(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match="does not contain the weights of DAC at 44100 Hz"):
        small(tmp_path / "x.safetensors")


def test_without_weights_it_says_where_they_are():
    [component] = vall_e_register_codecs()
    with pytest.raises(DownloadError) as caught:
        component.build(DacConfig(sample_rate=24_000))
    assert "huggingface.co/descript/dac_24khz" in caught.value.hint
    with pytest.raises(ConfigError, match="the version of the weights"):
        build_dac(DacConfig(download=True))


def test_what_the_config_pins_is_fetched_and_checked(tmp_path, monkeypatch):
    """From a hub in a folder: the file of that commit, with that hash, or none."""
    file = tmp_path / "descript/dac_24khz" / "resolve" / "abc" / "model.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no weights")
    monkeypatch.setenv("HF_ENDPOINT", tmp_path.as_uri())
    options = {
        "download": True,
        "revision": "abc",
        "cache": tmp_path / "cache",
        "sample_rate": 24_000,
    }
    with pytest.raises(DownloadError, match=r"descript/dac_24khz/resolve/abc/.* has SHA-256"):
        build_dac(DacConfig(sha256="0" * 64, **options))
    assert not list((tmp_path / "cache").iterdir())
    sha256 = hashlib.sha256(b"no weights").hexdigest()
    with pytest.raises(CheckpointError, match="has no readable weights"):
        build_dac(DacConfig(sha256=sha256, **options))
    [kept] = (tmp_path / "cache").iterdir()
    assert kept.name == f"{sha256[:16]}-model.safetensors"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    kept.unlink()
    with pytest.raises(DownloadError, match="downloads are disabled"):
        build_dac(DacConfig(sha256=sha256, **options))
