"""LoRAs of e-c-k-e-r/vall-e, read, written and spoken with."""

import json

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from torch import nn

from vall_e.cli.app import App, cli
from vall_e.errors import CheckpointError
from vall_e.export.formats.components import build_ecker_lora
from vall_e.export.formats.options import EckerLoraConfig
from vall_e.model.lora import Terms, adapters, attach, places
from vall_e.synthesis.loras import Loras
from vall_e.testing import ExporterContract, StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.file import save
from vall_e.weights.lora_file import read_lora

PLACE = "model.layers.1.mlp.up_proj"
OURS = "backbone.layers.1.mlp.up_proj"


def lora_bundle(registry, **choice):
    bundle = tiny_bundle(registry, StaircaseCodec())
    attach(bundle.model, places(bundle.model, **choice), Terms(2, 6.0, levels=(0, 1)))
    for adapter in adapters(bundle.model).values():
        nn.init.normal_(adapter.lora_b, std=0.3)
    return bundle


class TestEckerLora(ExporterContract):
    def make(self):
        return build_ecker_lora(EckerLoraConfig())

    @pytest.fixture
    def bundle(self, registry):
        return lora_bundle(registry)


@pytest.fixture
def write(tmp_path):
    """As e-c-k-e-r/vall-e would: a matrix of 6 by 4 with a LoRA of rank 2."""
    a, b = torch.ones(2, 4), torch.ones(6, 2)

    def write(name="lora.sft", *, config=None, place=PLACE, swapped=False):
        place += ".parametrizations.weight.0" if swapped else ""
        inner, outer = ("B", "A") if swapped else ("A", "B")
        tensors = {f"{place}.lora_{inner}": a, f"{place}.lora_{outer}": b}
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".pth":
            facts = {} if config is None else {"config": config}
            torch.save({"module": {"sep": a}, "lora": tensors, **facts}, path)
        else:
            facts = None if config is None else {"config": json.dumps(config)}
            save_file(tensors, path, metadata=facts)
        return path

    return write


CONFIG = {"name": "lora", "rank": 2, "alpha": 6, "rvq_levels": [1, 2], "path": None}


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("name", ["lora.sft", "lora.safetensors", "state.pth"])
def test_its_files_are_read_in_both_flavours(write, name, swapped):
    file = read_lora(write(name, config=CONFIG, swapped=swapped))
    assert file.terms == Terms(2, 6.0, levels=(1, 2))
    assert {key: tuple(t.shape) for key, t in file.tensors.items()} == {
        f"{OURS}.lora_a": (2, 4),
        f"{OURS}.lora_b": (6, 2),
    }
    assert file.base == ""


def test_alpha_is_in_the_file_or_in_the_name_of_its_folder(write):
    with pytest.raises(CheckpointError, match="does not state its alpha"):
        read_lora(write())
    assert read_lora(write("me-r2-a8/lora.sft")).terms == Terms(2, 8.0)


def test_what_no_model_of_ours_adapts_is_named(write):
    with pytest.raises(
        CheckpointError, match=r"adapts layers that cannot be adapted here: text_emb\.lo"
    ):
        read_lora(write(config=CONFIG, place="text_emb"))


def test_a_model_is_not_a_lora(tmp_path):
    torch.save({"module": {"sep": torch.ones(2)}}, tmp_path / "model.pth")
    with pytest.raises(CheckpointError, match="has no LoRA under 'lora' or 'module'"):
        read_lora(tmp_path / "model.pth")


@pytest.fixture
def vall_e(registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = App(environ={"VALL_E_HOME": str(tmp_path / "home")}, registry=registry)

    def run(*args):
        result = CliRunner().invoke(cli, [str(arg) for arg in args], obj=app)
        assert result.exit_code == 0, result.output
        return result

    return run


def test_a_lora_goes_there_and_comes_back(vall_e, registry, tmp_path, caplog):
    bundle = lora_bundle(registry)
    save(bundle, tmp_path / "run.safetensors")
    vall_e("export", "run.safetensors", "--to", "ecker-lora", "-o", "theirs.lora.sft")
    theirs = load_file(tmp_path / "theirs.lora.sft")
    assert theirs[f"{PLACE}.lora_A"].shape == (2, 32)
    assert len(theirs) == 2 * len(adapters(bundle.model))

    told = vall_e("models", "convert", "theirs.lora.sft", "-o", "ours.lora.safetensors").output
    assert "LoRA of rank 2, alpha 6, for levels: 0, 1" in told
    for name in ("theirs.lora.sft", "ours.lora.safetensors"):
        model = tiny_bundle(registry, StaircaseCodec()).model
        loras = Loras(model)
        assert loras.add(tmp_path / name) == name.partition(".")[0]
        assert "does not state which model it was trained on" in caplog.text
        caplog.clear()
        for place, adapter in adapters(model, "1").items():
            trained = adapters(bundle.model)[place]
            assert adapter.terms == trained.terms
            assert adapter.lora_a.equal(trained.lora_a)
            assert adapter.lora_b.equal(trained.lora_b)


def test_embeddings_have_no_place_there(registry, tmp_path):
    bundle = lora_bundle(registry, embeddings=True)
    with pytest.raises(CheckpointError, match="e-c-k-e-r/vall-e cannot adapt embedding"):
        build_ecker_lora(EckerLoraConfig())(bundle, tmp_path / "x.lora.sft")
    assert not list(tmp_path.iterdir())
