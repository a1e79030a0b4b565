import json

import pytest
import safetensors.torch
import torch
from click.testing import CliRunner
from safetensors import safe_open

from vall_e.cli.app import App, cli
from vall_e.errors import CheckpointError, PluginError
from vall_e.export.formats.components import build_safetensors, build_torch
from vall_e.export.formats.options import SafetensorsConfig, TorchConfig
from vall_e.registry import Component, Offer, Registry
from vall_e.testing import ExporterContract, StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.file import load, save


class TestSafetensors(ExporterContract):
    def make(self):
        return build_safetensors(SafetensorsConfig())


class TestTorch(ExporterContract):
    def make(self):
        return build_torch(TorchConfig())


@pytest.fixture
def weights(registry, tmp_path):
    path = tmp_path / "weights.safetensors"
    save(tiny_bundle(registry, StaircaseCodec()), path)
    return path


def export(registry, *args):
    app = App(registry=registry)
    return CliRunner().invoke(cli, ["export", *map(str, args)], obj=app)


def test_a_safetensors_file_is_the_model_again(registry, weights, tmp_path):
    result = export(registry, weights, "-o", tmp_path / "other.safetensors")
    assert result.exit_code == 0, result.output
    before, after = load(weights, registry), load(tmp_path / "other.safetensors", registry)
    for name, tensor in before.model.state_dict().items():
        assert torch.equal(tensor, after.model.state_dict()[name]), name
    assert after.vocabulary == before.vocabulary
    assert (after.codec, after.statistics) == (before.codec, before.statistics)


@pytest.mark.parametrize(
    ("name", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16), ("fp32", torch.float32)]
)
def test_a_torch_file_opens_without_running_code(registry, weights, tmp_path, name, dtype):
    path = tmp_path / "model.pt"
    result = export(registry, weights, "--to", "torch", "--dtype", name, "-o", path)
    assert result.exit_code == 0, result.output
    content = torch.load(path, weights_only=True)
    assert {tensor.dtype for tensor in content["model"].values()} == {dtype}
    assert json.loads(content["metadata"]["codec"]).startswith("staircase")


@pytest.mark.parametrize("target", ["safetensors", "torch"])
def test_each_tensor_keeps_its_dtype(registry, weights, tmp_path, target):
    content = safetensors.torch.load_file(weights)
    with safe_open(weights, "pt") as file:
        metadata = file.metadata()
    half = {name: tensor.bfloat16() for name, tensor in content.items()}
    first, *_ = half
    half[first] = content[first]  # a file may have tensors of several dtypes
    safetensors.torch.save_file(half, weights, metadata=metadata)
    path = tmp_path / "other"
    assert export(registry, weights, "--to", target, "-o", path).exit_code == 0
    after = (
        safetensors.torch.load_file(path)
        if target == "safetensors"
        else torch.load(path, weights_only=True)["model"]
    )
    assert {name: tensor.dtype for name, tensor in after.items()} == {
        name: torch.float32 if name == first else torch.bfloat16 for name in half
    }
    assert all(torch.equal(tensor, half[name]) for name, tensor in after.items())


def test_only_floating_tensors_are_cast(registry, tmp_path):
    bundle = tiny_bundle(registry, StaircaseCodec())
    counts = torch.tensor([70_000])  # no half of 16 bits holds it
    bundle.model.register_buffer("counts", counts)
    save(bundle, tmp_path / "counting.safetensors", dtype=torch.float16)
    after = safetensors.torch.load_file(tmp_path / "counting.safetensors")
    assert torch.equal(after.pop("counts"), counts)
    assert {tensor.dtype for tensor in after.values()} == {torch.float16}


@pytest.mark.parametrize("target", ["safetensors", "torch"])
def test_a_place_that_cannot_be_written_to_is_reported(registry, weights, tmp_path, target):
    (tmp_path / "file").touch()
    result = export(registry, weights, "--to", target, "-o", tmp_path / "file" / "x")
    assert result.exit_code == 7
    assert "the folder" in result.stderr
    assert "file cannot be made" in result.stderr
    result = export(registry, weights, "--to", target, "-o", tmp_path / ("x" * 300))
    assert result.exit_code == 7
    assert "cannot be written: File name too long" in result.stderr


def test_the_source_is_not_written_over(registry, weights):
    result = export(registry, weights, "-o", weights)
    assert result.exit_code == 7
    assert "is the source itself" in result.stderr


def test_an_unknown_format_is_named(registry, weights):
    result = export(registry, weights, "--to", "safetensor")
    assert result.exit_code == 4
    assert "safetensor" in result.stderr


def test_a_folder_without_checkpoints_is_not_a_checkpoint(registry, tmp_path):
    result = export(registry, tmp_path)
    assert result.exit_code == 7
    assert "nor a folder of checkpoints" in result.stderr


def test_a_torch_file_speaks(registry, weights, tmp_path):
    path = tmp_path / "model.pt"
    assert export(registry, weights, "--to", "torch", "-o", path).exit_code == 0
    before, after = load(weights, registry), load(path, registry)
    assert after.metadata() == before.metadata()
    for name, tensor in before.tensors().items():
        assert torch.equal(tensor, after.tensors()[name]), name
    again = export(registry, path, "-o", tmp_path / "again.safetensors")
    assert again.exit_code == 0, again.output
    assert load(tmp_path / "again.safetensors", registry).metadata() == before.metadata()


class Notes:
    """An exporter that writes and opens JSON, without the tensors."""

    suffix = ".notes"

    def __call__(self, bundle, path):
        path.write_text(json.dumps(bundle.metadata()))

    def opens(self, path):
        return path.read_text().startswith("{")

    def read(self, path):
        return json.loads(path.read_text()), {}


@pytest.fixture
def with_notes(registry):
    notes = Component(
        name="notes", config=TorchConfig, build=lambda _: Notes(), summary="a test",
        code_license="not stated",
    )  # fmt: skip
    return [*registry.offers, Offer("exporter", notes, "notes", "1", "notes")]


def test_what_an_exporter_opens_is_checked_as_any_weights(with_notes, weights, registry, tmp_path):
    offers = Registry(with_notes)
    path = tmp_path / "a.notes"
    Notes()(load(weights, registry), path)
    with pytest.raises(CheckpointError, match=r"a\.notes is damaged"):
        load(path, offers)  # sizes that no tensor has
    path.write_text("{")
    with pytest.raises(CheckpointError, match=r"a\.notes is a damaged \.notes file"):
        load(path, offers)
    path.write_text("no notes")
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        load(path, offers)


def test_an_exporter_without_a_commercial_licence_opens_nothing(with_notes, tmp_path):
    path = tmp_path / "a.notes"
    path.write_text("{}")
    with pytest.raises(PluginError, match="only components for commercial use"):
        load(path, Registry(with_notes, commercial=True))
