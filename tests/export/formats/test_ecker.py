import json

import pytest
import torch
from click.testing import CliRunner
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from vall_e.cli.app import App, cli
from vall_e.errors import CheckpointError
from vall_e.export.formats.components import build_ecker
from vall_e.export.formats.options import EckerExportConfig
from vall_e.testing import ExporterContract, StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.file import load, model_tensors, save

LLAMA = {"d_model": 32, "layers": 2, "heads": 4, "d_ff": 128, "activation": "gelu"}
MODEL = {"backbone": {"name": "llama", **LLAMA}, "prompt_levels": "known"}


def exporter():
    return build_ecker(EckerExportConfig())


class TestEcker(ExporterContract):
    def make(self):
        return exporter()

    @pytest.fixture
    def bundle(self, registry):
        return tiny_bundle(registry, StaircaseCodec(), model=MODEL)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"legacy_sums": True, "nar_attention": "causal", "positions": "unified"},
        {"heads": "single", "head_bias": False, "embedding_sums": False},
    ],
)
def test_what_is_exported_is_the_same_model_again(registry, tmp_path, options):
    bundle = tiny_bundle(registry, StaircaseCodec(), model={**MODEL, **options})
    exporter()(bundle, tmp_path / "model.sft")
    again = load(tmp_path / "model.sft", registry)
    assert again.config.model == bundle.config.model
    for name, tensor in bundle.model.state_dict().items():
        ours = again.model.state_dict()[name]
        assert ours[: len(tensor)].equal(tensor), name
    ids = bundle.vocabulary.encode("a man, a plan", unknown="error").ids
    assert again.vocabulary.encode("a man, a plan", unknown="error").ids == ids


def test_the_vector_of_token_dropout_is_its_own_there_too(registry, tmp_path):
    model = {**MODEL, "token_dropout": 0.1}
    bundle = tiny_bundle(registry, StaircaseCodec(), model=model)
    exporter()(bundle, tmp_path / "model.sft")
    theirs = load_file(tmp_path / "model.sft")["dropout_token"]
    assert theirs.equal(bundle.model.embedding.token_dropout.vector)


def test_a_file_of_the_original_comes_back_tensor_by_tensor(registry, tmp_path):
    bundle = tiny_bundle(registry, StaircaseCodec(), model=MODEL)
    exporter()(bundle, tmp_path / "made.sft")
    state = {name: torch.randn_like(t) for name, t in load_file(tmp_path / "made.sft").items()}
    state["time_emb.mlp.0.weight"] = torch.randn(4, 2)
    with safe_open(tmp_path / "made.sft", framework="pt") as file:
        facts = {**file.metadata(), "stats": json.dumps({"global_step": 3, "note": "x"})}
    save_file(state, tmp_path / "theirs.sft", metadata=facts)

    def run(*args):
        result = CliRunner().invoke(cli, [*map(str, args)], obj=App(registry=registry))
        assert result.exit_code == 0, result.output

    ours, back = tmp_path / "ours.safetensors", tmp_path / "back.sft"
    run("models", "convert", tmp_path / "theirs.sft", "-o", ours)
    run("export", ours, "--to", "ecker", "-o", back)
    returned = load_file(back)
    assert returned.keys() == state.keys()
    for name, tensor in state.items():
        assert returned[name].equal(tensor), name
    with safe_open(back, framework="pt") as file:
        after = {key: json.loads(value) for key, value in file.metadata().items()}
    assert after == {key: json.loads(value) for key, value in facts.items()}


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ({"backbone": "llama"}, "backbone.activation: silu, not gelu"),
        ({**MODEL, "prompt_levels": "all"}, "prompt_levels: all, not known"),
        ({**MODEL, "text_stride": 4}, "text_stride: 4"),
        ({**MODEL, "code_vectors": "both"}, "code_vectors: both"),
    ],
)
def test_what_the_original_cannot_compute_is_refused(registry, tmp_path, model, says):
    bundle = tiny_bundle(registry, StaircaseCodec(), model=model)
    with pytest.raises(CheckpointError) as caught:
        exporter()(bundle, tmp_path / "model.sft")
    assert says in caught.value.message
    assert not list(tmp_path.iterdir())


def test_training_can_start_from_what_was_converted(registry, tmp_path):
    bundle = tiny_bundle(registry, StaircaseCodec(), model=MODEL)
    exporter()(bundle, tmp_path / "theirs.sft")
    converted = load(tmp_path / "theirs.sft", registry)
    save(converted, tmp_path / "ours.safetensors")
    assert model_tensors(tmp_path / "ours.safetensors").keys() == bundle.model.state_dict().keys()
