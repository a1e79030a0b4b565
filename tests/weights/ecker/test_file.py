import json
import os

import pytest
import torch
from click.testing import CliRunner
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from vall_e.cli.app import App, cli
from vall_e.errors import CheckpointError
from vall_e.export.formats.ecker import EckerExporter
from vall_e.model.embedding import ModelSizes
from vall_e.model.valle import build_valle
from vall_e.synthesis.request import Request
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle, tiny_config
from vall_e.weights.contents import as_told
from vall_e.weights.ecker.config import describe
from vall_e.weights.ecker.file import Reading, is_ecker, read_ecker
from vall_e.weights.ecker.tensors import translate_back
from vall_e.weights.ecker_names import TensorNames
from vall_e.weights.file import bundle_of, load, save

SIZES = ModelSizes(levels=2, codebook_size=8, vocabulary=12, languages=4)
SYMBOLS = {"<unk>": 0, "<bos>": 1, "</eos>": 2, "<mask>": 3, " ": 4, "a": 5, "b": 6, "ø": 5}
CONFIG = {
    "name": "ar+nar",
    "version": 5,
    "size": {"dim": 16, "heads": 2, "layers": 1},
    "resp_levels": 2,
    "arch_type": "llama",
    "capabilities": ["ar", "nar"],
    "dropout": 0.1,
    "experimental": {
        "split_classifiers": True,
        "audio_embedding_sums": True,
        "unified_position_ids": False,
    },
}
MODEL = {
    "backbone": {
        "name": "llama",
        "d_model": 16,
        "layers": 1,
        "heads": 2,
        "d_ff": 64,
        "activation": "gelu",
        "dropout": 0.1,
    },
    "legacy_sums": True,
    "prompt_levels": "known",
    "nar_attention": "causal",
}


@pytest.fixture
def model(registry):
    torch.manual_seed(0)
    return build_valle(tiny_config(registry, model=MODEL).model, SIZES).eval()


@pytest.fixture
def state(model):
    """As e-c-k-e-r/vall-e would have saved it."""
    kept = {
        "resps_emb.embeddings.0.weight": torch.ones(1, 16),
        "dropout_token": torch.zeros(16),
        "tasks_emb.weight": torch.ones(9, 16),
        "classifiers.proj.2.weight": torch.ones(12, 16),
    }
    return translate_back(model.state_dict(), kept, TensorNames(levels=2))


@pytest.fixture
def write(tmp_path, state):
    def write(name="model.sft", /, *, embedded=True, symbols=SYMBOLS, **changes):
        config = {**CONFIG, **changes}
        facts = {"stats": {"global_step": 7, "note": "x"}, "userdata": {"symmap": symbols}}
        if embedded:
            facts["config"] = config
        path = tmp_path / name
        if path.suffix == ".pth":
            torch.save({"module": state, **facts}, path)
        else:
            metadata = {key: json.dumps(value) for key, value in facts.items()}
            save_file({n: t.contiguous() for n, t in state.items()}, path, metadata=metadata)
        return path

    return write


@pytest.mark.parametrize("name", ["model.sft", "model.safetensors", "model.pth"])
def test_the_model_in_the_file_is_read(write, registry, model, name):
    path = write(name)
    assert is_ecker(path)
    bundle = load(path, registry)
    assert bundle.config.model == tiny_config(registry, model=MODEL).model
    for key, tensor in model.state_dict().items():
        assert bundle.model.state_dict()[key].equal(tensor), key
    assert bundle.statistics == {"global_step": 7}
    assert bundle.codec == "encodec-24k"
    assert bundle.config.text.languages == ("en-us", "ja", "de", "fr-fr")
    assert bundle.config.tasks[0].options.language is False
    assert bundle.kept.facts["config"] == CONFIG


def test_what_our_own_files_hold_is_not_of_the_original(registry, tmp_path):
    save(tiny_bundle(registry, StaircaseCodec()), tmp_path / "ours.safetensors")
    assert not is_ecker(tmp_path / "ours.safetensors")
    (tmp_path / "broken.sft").write_bytes(b"nothing")
    assert not is_ecker(tmp_path / "broken.sft")


@pytest.mark.parametrize(
    ("changes", "option", "value"),
    [
        ({"audio_embedding_sums": False}, "embedding_sums", False),
        ({"audio_embedding_sums": False}, "legacy_sums", False),
        ({"per_level_normalization": True}, "legacy_sums", False),
        ({"unified_position_ids": True}, "positions", "unified"),
        ({"split_classifiers": False}, "heads", "single"),
        ({"classifiers_bias": False}, "head_bias", False),
        ({"noncausal_masks": True}, "nar_attention", "full"),
        ({"audio_embedding_sums": "prom"}, "summed", "prompt"),
        ({"audio_embedding_sums": "resp"}, "summed", "response"),
        ({"causal_size": 3}, "ahead", 3),
    ],
)
def test_what_decides_the_numbers_becomes_an_option(state, changes, option, value):
    experimental = {**CONFIG["experimental"], **changes}
    described = describe({**CONFIG, "experimental": experimental}, state)
    assert described.raw["model"][option] == value


def test_the_language_is_read_if_the_original_stated_it(state):
    described = describe({**CONFIG, "capabilities": ["ar", "nar", "lang", "len"]}, state)
    assert described.raw["tasks"] == [{"name": "tts", "language": True}]
    assert described.unused == ("len",)


@pytest.mark.parametrize(("sums", "legacy"), [("legacy", True), ("whole", False), ("auto", True)])
def test_how_levels_are_summed_can_be_said(write, registry, sums, legacy):
    stored = read_ecker(write(), registry, Reading(sums=sums))
    assert stored.config.model.legacy_sums is legacy


@pytest.mark.parametrize(
    ("size", "heads"), [("full", 1), ({"dim": 16, "heads": 4}, 4), ({"dim": 32, "heads": 4}, 1)]
)
def test_heads_follow_from_the_size_that_was_obeyed(state, size, heads):
    described = describe({**CONFIG, "size": size}, state)
    assert described.raw["model"]["backbone"]["heads"] == heads


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": 4}, "version: 4"),
        ({"version": 7}, "version: 7"),
        ({"arch_type": "retnet"}, "arch_type: 'retnet'"),
        ({"arch_type": "mistral"}, "arch_type: 'mistral'"),
        ({"experimental": {"hf": True}}, "hf: True"),
        ({"experimental": {"interleave": True}}, "interleave: True"),
        (
            {"experimental": {"causal_size": 3}, "capabilities": ["ar", "len"]},
            "causal_size with len",
        ),
        ({"experimental": {"audio_embedding_sums": "text"}}, "audio_embedding_sums: 'text'"),
        ({"experimental": {"audio_embedding_mode": "inclusive"}}, "audio_embedding_mode"),
        ({"experimental": {"use_sliding_attention_mask": True}}, "use_sliding_attention_mask"),
        ({"experimental": {"causal_size": None}}, "causal_size: None is not a whole number"),
        ({"capabilities": None}, "capabilities: None is not a list"),
        ({"experimental": "x"}, "experimental: 'x' is not options"),
        ({"dropout": "x"}, "dropout: 'x' is not a number"),
    ],
)
def test_what_we_lack_is_refused_by_name(write, registry, changes, says):
    with pytest.raises(CheckpointError) as caught:
        load(write(**changes), registry)
    assert says in caught.value.message


def test_unknown_fields_are_listed(write, registry, caplog):
    load(write(zebra=1, experimental={**CONFIG["experimental"], "quagga": 2}), registry)
    assert "model.sft: unknown config fields: quagga, zebra" in caplog.text


@pytest.mark.parametrize(
    ("name", "tensor", "says"),
    [
        ("model.norm.weight", None, "missing model.norm.weight"),
        ("sep", None, "missing sep"),
        ("proms_emb.embeddings.0.weight", None, "are missing: proms_emb.embeddings.0.weight"),
        ("proms_emb.embeddings.1.weight", None, "are missing: proms_emb.embeddings.1.weight"),
        ("model.norm.weight", torch.tensor(1.0), "model.norm.weight is (), expected (16,)"),
        ("mystery", torch.zeros(2), "unknown mystery"),
        ("proms_emb.embeddings.1.weight", torch.zeros(9, 16), "is (9, 16), expected (8, 16)"),
    ],
)
def test_tensors_that_do_not_fit_are_named(write, state, registry, name, tensor, says):
    state.pop(name, None)
    if tensor is not None:
        state[name] = tensor
    with pytest.raises(CheckpointError) as caught:
        read_ecker(write(), registry)
    assert says in caught.value.message


def test_a_pickle_that_runs_code_is_refused_unrun(tmp_path, registry):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"module": {}, "trap": Trap()}, tmp_path / "model.pth")
    with pytest.raises(CheckpointError, match="contains more than tensors and plain data"):
        load(tmp_path / "model.pth", registry)
    assert not (tmp_path / "sprung").exists()


def test_of_a_training_state_the_model_is_read(write, registry, tmp_path, caplog):
    path = write("model.pth")
    content = torch.load(path, weights_only=True)
    moments = {"state": {0: {"exp_avg": torch.ones(2)}}}
    lora = {"model.layers.0.mlp.up_proj.lora_A": torch.ones(1, 16)}
    torch.save({**content, "optimizer": moments, "lora": lora}, path)
    bundle = load(path, registry)
    assert "model.pth: not read: optimizer" in caplog.text
    assert "give the file with --lora" in caplog.text
    save(bundle, tmp_path / "ours.safetensors")  # nothing is left that cannot be written
    assert "optimizer" not in load(tmp_path / "ours.safetensors", registry).kept.facts


def test_a_file_may_have_no_metadata_at_all(state, registry, tmp_path):
    """Over there such a file stops the program."""
    path = tmp_path / "model.safetensors"
    save_file({name: t.contiguous() for name, t in state.items()}, path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    tokenizer = {"model": {"type": "BPE", "vocab": SYMBOLS, "merges": []}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert is_ecker(path)
    assert load(path, registry).statistics == {}


def test_a_torch_file_without_a_module_is_refused(tmp_path, registry):
    torch.save({"weights": {}}, tmp_path / "model.pth")
    with pytest.raises(CheckpointError, match="no tensors under 'module'"):
        load(tmp_path / "model.pth", registry)


@pytest.mark.parametrize("name", ["model.yaml", "model.json", "config.yaml", "config.json"])
def test_the_config_may_stand_beside_the_file(write, registry, tmp_path, name):
    path = write(embedded=False)
    with pytest.raises(CheckpointError, match=r"there is none next to it \(model.yaml, model.json"):
        load(path, registry)
    models = [{**CONFIG, "training": False, "version": 1}, CONFIG]
    (tmp_path / name).write_text(json.dumps({"models": models, "device": "cuda"}))
    assert load(path, registry).config.model.legacy_sums


def test_the_tokenizer_beside_the_file_counts_before_that_in_it(write, registry, tmp_path):
    path = write()
    tokenizer = {"model": {"type": "BPE", "vocab": {**SYMBOLS, "ab": 7}, "merges": ["a b"]}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    vocabulary = load(path, registry).vocabulary
    assert vocabulary.encode("ab øa", unknown="error").ids == [1, 7, 4, 5, 5, 2]
    assert len(vocabulary) == 12


def test_longer_symbols_need_their_merges(write, registry):
    with pytest.raises(CheckpointError, match="not how letters are joined") as caught:
        load(write(symbols={**SYMBOLS, "ab": 7}), registry)
    assert "tokenizer.json" in caught.value.hint


def test_convert_writes_a_file_of_ours(write, registry, tmp_path):
    source, output = write(), tmp_path / "ours.safetensors"
    app = App(registry=registry)
    args = ["models", "convert", str(source), "-o", str(output), "--sums", "whole"]
    result = CliRunner().invoke(cli, args, obj=app)
    assert result.exit_code == 0, result.output
    assert "sums             all known levels" in result.output
    before = bundle_of(read_ecker(source, registry, Reading(sums="whole")), source)
    after = load(output, registry)
    assert (after.config.model, after.config.tasks) == (before.config.model, before.config.tasks)
    assert after.vocabulary == before.vocabulary
    assert after.kept.facts == before.kept.facts
    for name, tensor in before.model.state_dict().items():
        assert after.model.state_dict()[name].equal(tensor), name
    for name, tensor in before.kept.tensors.items():
        assert after.kept.tensors[name].equal(tensor), name
    early = _without(output, "kept_layout", tmp_path / "early.safetensors")
    assert load(early, registry).kept.layout == after.kept.layout
    newer = _without(output, "kept", tmp_path / "none.safetensors")
    assert load(newer, registry).kept is None


def _without(path, key, output):
    """The file as a version wrote it that did not know `key` of the metadata."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    del metadata[key]
    save_file(load_file(path), output, metadata=metadata)
    return output


@pytest.mark.parametrize(
    ("identity", "told", "seen"),
    [
        ("encodec-24k:01ab", "encodec-24k", "encodec-24k"),
        ("encodec-24k:01ab", "encodec-24k:01ab", "encodec-24k:01ab"),
        ("encodec-24k:01ab", "dac-44k", "encodec-24k:01ab"),
    ],
)
def test_a_codec_is_known_as_far_as_the_file_says(identity, told, seen):
    assert as_told(identity, told) == seen


def test_convert_refuses_what_is_not_of_the_original(registry, tmp_path):
    (tmp_path / "x.sft").write_bytes(b"nothing")
    args = ["models", "convert", str(tmp_path / "x.sft"), "-o", str(tmp_path / "y.safetensors")]
    result = CliRunner().invoke(cli, args, obj=App(registry=registry))
    assert "is not a file of e-c-k-e-r/vall-e" in result.output
    assert not (tmp_path / "y.safetensors").exists()


def test_convert_never_writes_over_its_source(write, registry):
    source = str(write())
    result = CliRunner().invoke(
        cli, ["models", "convert", source, "-o", source], obj=App(registry=registry)
    )
    assert "is the source itself" in result.output


def test_the_model_speaks_by_the_codec_that_it_names(registry, tmp_path):
    backbone = {**MODEL["backbone"], "d_model": 32, "d_ff": 128}
    model = {"backbone": backbone, "prompt_levels": "known"}
    made = tiny_bundle(registry, StaircaseCodec(), model=model)
    EckerExporter()(made, tmp_path / "model.sft")
    bundle = load(tmp_path / "model.sft", registry)
    codec = StaircaseCodec()
    with pytest.raises(CheckpointError, match="the model writes codes of encodec-24k"):
        Synthesizer.of(bundle, codec)
    codec.identity = "encodec-24k:0123abcd"
    result = Synthesizer.of(bundle, codec).synthesize(Request("a man", seed=0, max_seconds=0.3))
    assert result.clip.seconds > 0
