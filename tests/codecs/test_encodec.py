"""EnCodec and Vocos on small random weights, in the files in which the real ones come."""

import hashlib

import pytest
import torch
from attrs import evolve
from safetensors.torch import save_file

from vall_e.plugin import CheckpointError, ConfigError, DownloadError, UnavailableError
from vall_e.testing import CodecContract
from vall_e_codecs import encodec, encodec_network, vocos, vocos_network
from vall_e_codecs.components import build_encodec, build_vocos
from vall_e_codecs.encodec_names import canonical, reference_names
from vall_e_codecs.options import EncodecConfig, VocosConfig
from vall_e_codecs.package_check import imports
from vall_e_codecs.weight_files import RemoteFile, fetch, locate, read_tensors

ENCODEC = encodec_network.EncodecSizes(filters=2, dimension=8, lstm_layers=1)
VOCOS = vocos_network.VocosSizes(dimension=8, width=8, inner=16, layers=2)


@pytest.fixture(scope="module")
def state(random_encodec):
    """Random weights of a small EnCodec, by their names in transformers."""
    return random_encodec(ENCODEC)


@pytest.fixture(scope="session")
def vocos_file(tmp_path_factory):
    torch.manual_seed(0)
    network = vocos_network.VocosNetwork(VOCOS)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    path = tmp_path_factory.mktemp("vocos") / "pytorch_model.bin"
    torch.save({**network.state_dict(), "feature_extractor.encodec.x": torch.zeros(1)}, path)
    return path


def small(path, choice="transformers"):
    return encodec.encodec_of(path, levels=4, choice=choice, sizes=ENCODEC)


@pytest.fixture(scope="module")
def both(hub_file, vocos_file):
    """EnCodec, and Vocos over it."""
    codec = small(hub_file)
    network = vocos_network.network_of(vocos_file, choice="vall-e", sizes=VOCOS)
    return codec, vocos.Vocos(codec, network)


class TestEncodec(CodecContract):
    trained = False

    @pytest.fixture(autouse=True)
    def _codec(self, both):
        self.codec = both[0]

    def make(self):
        return self.codec


class TestVocos(CodecContract):
    trained = False

    @pytest.fixture(autouse=True)
    def _codec(self, both):
        self.codec = both[1]

    def make(self):
        return self.codec


def test_names_go_to_the_package_and_back(state):
    theirs = reference_names(state)
    assert "encoder.model.0.conv.conv.weight_g" in theirs
    assert "encoder.model.1.block.1.conv.conv.weight_v" in theirs
    assert "encoder.model.1.shortcut.conv.conv.bias" in theirs
    assert "encoder.model.13.lstm.weight_ih_l0" in theirs
    assert "decoder.model.3.convtr.convtr.weight_g" in theirs
    assert "decoder.model.15.conv.conv.bias" in theirs
    assert "quantizer.vq.layers.31._codebook.embed" in theirs
    assert canonical(theirs).keys() == state.keys()


def test_files_of_both_projects_give_the_same_codec(hub_file, package_file):
    one, two = small(hub_file), small(package_file)
    assert one.identity == two.identity
    audio = 0.3 * torch.randn(1, 1, 3000, generator=torch.Generator().manual_seed(0))
    codes = one.encode(audio)
    assert torch.equal(codes, two.encode(audio))
    assert torch.equal(one.decode(codes), two.decode(codes))


def test_identity_names_encoder_and_codebooks_only(state, tmp_path):
    changed = {name: tensor.clone() for name, tensor in state.items()}
    name = "decoder.layers.0.conv.bias"
    changed[name] += 1
    save_file(changed, tmp_path / "decoder.safetensors")
    save_file(
        {**changed, "encoder.layers.0.conv.bias": changed[name][:2] + 1}, tmp_path / "e.safetensors"
    )
    save_file(state, tmp_path / "first.safetensors")
    first, decoder, other = (
        small(tmp_path / f"{stem}.safetensors").identity for stem in ("first", "decoder", "e")
    )
    assert first == decoder
    assert first != other


@pytest.mark.skipif(not imports("encodec"), reason="the package encodec does not import here")
@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_the_reference_package_agrees_on_encodec(hub_file, package_file):
    ours, theirs = small(hub_file), small(package_file, "encodec")
    audio = 0.3 * torch.randn(2, 1, 5000, generator=torch.Generator().manual_seed(0))
    codes = ours.encode(audio)
    assert torch.equal(theirs.encode(audio), codes)
    torch.testing.assert_close(theirs.decode(codes), ours.decode(codes))


@pytest.mark.skipif(not imports("vocos"), reason="the package vocos does not import here")
@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_the_reference_package_agrees_on_vocos(vocos_file):
    ours = vocos_network.network_of(vocos_file, choice="vall-e", sizes=VOCOS)
    theirs = vocos_network.network_of(vocos_file, choice="vocos", sizes=VOCOS)
    for levels in (1, 4, 7):
        codes = torch.randint(1024, (1, levels, 20))
        torch.testing.assert_close(theirs(codes), ours(codes))


def test_each_bandwidth_serves_its_levels():
    assert [vocos_network.bandwidth(n) for n in (1, 2, 3, 4, 5, 8, 9, 16)] == [
        0,
        0,
        1,
        1,
        2,
        2,
        3,
        3,
    ]


def test_vocos_speaks_encodec_codes(hub_file, vocos_file):
    codec = vocos.Vocos(
        small(hub_file), vocos_network.network_of(vocos_file, choice="vall-e", sizes=VOCOS)
    )
    assert codec.identity == small(hub_file).identity


def test_weights_of_another_network_are_refused(tmp_path, hub_file):
    path = tmp_path / "other.safetensors"
    save_file({"encoder.layers.0.conv.bias": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="does not contain the weights of the 24 kHz EnCodec"):
        small(path)
    with pytest.raises(CheckpointError, match="does not contain the weights of Vocos"):
        vocos_network.network_of(hub_file, choice="vall-e", sizes=VOCOS)


def test_what_is_not_a_state_dict_is_refused(tmp_path):
    for name, content in (("list.bin", [1, 2]), ("nested.bin", {"a": {"b": 1}})):
        torch.save(content, tmp_path / name)
        with pytest.raises(CheckpointError, match="is not a state dict"):
            read_tensors(tmp_path / name)
    (tmp_path / "damaged.bin").write_bytes(b"no weights")
    for name in ("damaged.bin", "absent.bin", "absent.safetensors"):
        with pytest.raises(CheckpointError, match="has no readable weights"):
            read_tensors(tmp_path / name)


@pytest.mark.skipif(imports("encodec"), reason="the packages import here")
def test_a_package_that_is_not_here_is_named(hub_file, vocos_file):
    with pytest.raises(UnavailableError, match="encodec cannot be imported"):
        small(hub_file, "encodec")
    with pytest.raises(UnavailableError, match="vocos cannot be imported"):
        vocos_network.network_of(vocos_file, choice="vocos", sizes=VOCOS)


def test_weights_are_not_fetched_unasked(tmp_path):
    for build, config in ((build_encodec, EncodecConfig), (build_vocos, VocosConfig)):
        with pytest.raises(DownloadError, match="not on this machine") as caught:
            build(config(cache=tmp_path))
        assert "download: true" in caught.value.hint


def test_vocos_is_not_fetched_without_a_version(tmp_path):
    with pytest.raises(ConfigError, match="the version of the weights") as caught:
        build_vocos(VocosConfig(download=True, cache=tmp_path))
    assert "sha256" in caught.value.hint


@pytest.fixture
def remote(tmp_path):
    """A file with an address, as it would be on a server."""
    source = tmp_path / "server" / "weights.th"
    source.parent.mkdir()
    source.write_bytes(b"many numbers")
    return RemoteFile(source.as_uri(), hashlib.sha256(b"many numbers").hexdigest())


def test_a_file_is_fetched_once(remote, tmp_path):
    options = {"path": None, "remote": remote, "cache": tmp_path / "cache"}
    kept = locate("x", download=True, **options)
    assert kept.read_bytes() == b"many numbers"
    (tmp_path / "server" / "weights.th").unlink()
    assert locate("x", download=False, **options) == kept


def test_a_cached_file_that_has_changed_is_refused(remote, tmp_path):
    options = {"path": None, "remote": remote, "cache": tmp_path / "cache"}
    kept = locate("x", download=True, **options)
    kept.write_bytes(b"Many numbers")
    with pytest.raises(CheckpointError, match="is damaged: it has SHA-256") as caught:
        locate("x", download=True, **options)
    assert "delete it" in caught.value.hint


def test_nothing_is_fetched_offline(remote, tmp_path, monkeypatch):
    options = {"path": None, "remote": remote, "cache": tmp_path / "cache"}
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DownloadError, match="downloads are disabled") as caught:
        locate("x", download=True, **options)
    assert remote.url in caught.value.hint
    assert not (tmp_path / "cache").exists()
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    kept = locate("x", download=True, **options)
    monkeypatch.setenv("HF_HUB_OFFLINE", "on")
    assert locate("x", download=True, **options) == kept


def test_the_command_can_be_made_to_stay_offline(registry, tmp_path):
    import os

    from click.testing import CliRunner

    from vall_e.cli.app import App, cli

    words = ["codec", "info", "--codec", "encodec", "--set", "codec.download=true"]
    words += ["--set", f"codec.cache={tmp_path}"]
    result = CliRunner().invoke(cli, ["--offline", *words], obj=App(registry=registry, environ={}))
    assert result.exit_code == 10
    assert "--offline, or HF_HUB_OFFLINE" in result.stderr
    assert "HF_HUB_OFFLINE" not in os.environ


def test_a_file_that_was_changed_is_not_kept(remote, tmp_path):
    with pytest.raises(DownloadError, match="has SHA-256"):
        fetch(evolve(remote, sha256="0" * 64), tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["server"]


def test_a_server_that_does_not_answer_is_named(remote, tmp_path):
    with pytest.raises(DownloadError, match="cannot download"):
        fetch(evolve(remote, url=remote.url + "x"), tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["server"]


def test_what_the_config_pins_is_fetched_and_checked(tmp_path, monkeypatch):
    """From a hub in a folder: the file of that commit, with that hash, or none."""
    file = tmp_path / "charactr/vocos-encodec-24khz" / "resolve" / "abc" / "pytorch_model.bin"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no weights")
    monkeypatch.setenv("HF_ENDPOINT", tmp_path.as_uri())
    options = {
        "download": True,
        "revision": "abc",
        "cache": tmp_path / "cache",
        "encodec_path": file,
    }
    with pytest.raises(
        DownloadError,
        match=r"charactr/vocos-encodec-24khz/resolve/abc/.* has SHA-256",
    ):
        build_vocos(VocosConfig(sha256="0" * 64, **options))
    assert not list((tmp_path / "cache").iterdir())
    sha256 = hashlib.sha256(b"no weights").hexdigest()
    with pytest.raises(CheckpointError, match="has no readable weights"):
        build_vocos(VocosConfig(sha256=sha256, **options))
    [kept] = (tmp_path / "cache").iterdir()
    assert kept.name == f"{sha256[:16]}-pytorch_model.bin"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    kept.unlink()
    with pytest.raises(DownloadError, match="downloads are disabled"):
        build_vocos(VocosConfig(sha256=sha256, **options))
