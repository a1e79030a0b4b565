"""A new run that starts from the weights of another one: fine-tuning."""

import json

import pytest
import torch
from safetensors.torch import load_file

from vall_e.errors import CheckpointError, UnknownComponentError
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.weights.file import load, save
from vall_e.weights.locate import find_weights
from vall_e.weights.metadata import read_metadata


@pytest.fixture
def trained(bench):
    """The weights of a run of two steps."""
    bench.train("first", commands="quit@2")
    return find_weights(bench.folder / "first")


def state(run):
    return {name: tensor.clone() for name, tensor in run.bundle.model.state_dict().items()}


def same(left, right):
    return all(torch.equal(tensor, right[name]) for name, tensor in left.items())


def test_a_run_starts_with_the_weights_and_counts_from_nothing(bench, trained):
    run = bench.open("second", start_from=str(trained))
    assert same(state(run), load_file(trained))
    assert run.progress.step == 0
    assert run.bundle.statistics == {}
    assert run.optimizer.state == {}


def test_a_training_folder_means_its_latest(bench, trained):
    run = bench.open("second", start_from=str(bench.folder / "first"))
    assert same(state(run), load_file(trained))


def test_the_vocabulary_is_that_of_the_weights(bench, trained, registry):
    """Also where the data would make another one."""
    codec = StaircaseCodec(levels=3)
    write_dataset(bench.folder / "data", codec, utterances=1)
    run = bench.train("second", start_from=str(trained), data={"seconds": [0.1, 20]})
    assert run.bundle.vocabulary == load(trained, registry).vocabulary
    found = load(find_weights(bench.folder / "second"), registry)
    assert found.vocabulary == run.bundle.vocabulary
    assert found.statistics["steps"] == 6


@pytest.mark.parametrize("capability", ["ar", "nar"])
def test_a_stage_of_its_own_starts_from_a_model_that_does_both(bench, trained, capability):
    model = {"capabilities": [capability]}
    run = bench.open("second", start_from=str(trained), model=model)
    assert run.bundle.config.model.capabilities == (capability,)
    assert same(state(run), load_file(trained))


def test_symbols_that_the_weights_lack_are_counted(bench, trained, caplog):
    path = bench.folder / "data" / "manifest.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows[:3]:
        row["phonemes"] += "ʒʒ"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    bench.open("second", start_from=str(trained))
    assert "since the vocabulary lacks them: 'ʒ' 6 times" in caplog.text


def test_such_a_run_resumes_from_its_own_checkpoint(bench, trained):
    through = bench.train("through", start_from=str(trained))
    bench.train("resumed", start_from=str(trained), commands="quit@3")
    run = bench.train("resumed", start_from=str(trained), resume=True)
    assert run.progress.step == 6
    assert same(state(through), state(run))
    assert not same(state(run), load_file(trained))


def test_half_precision_is_trained_in_full(bench, trained, registry):
    half = bench.folder / "half.safetensors"
    save(load(trained, registry), half, dtype=torch.float16)
    run = bench.open("second", start_from=str(half))
    assert {tensor.dtype for tensor in state(run).values()} == {torch.float32}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model": {"text_stride": 2}}, "different options: model.text_stride (1, not 2)"),
        (
            {"sections": {"text": {"phonemizer": "none", "languages": ["en-us", "de"]}}},
            'different options: text.languages (["en-us"], not ["en-us", "de"])',
        ),
        (
            {"sections": {"tasks": [{"name": "tts", "language": False}]}},
            "different options: tasks.tts.language (true, not false)",
        ),
    ],
    ids=["model", "languages", "task"],
)
def test_a_config_that_gives_the_weights_another_meaning_is_refused(bench, trained, change, says):
    with pytest.raises(CheckpointError) as caught:
        bench.open("second", start_from=str(trained), **change)
    assert says in caught.value.message
    assert "in the YAML file" in caught.value.hint


def test_data_of_other_codes_are_refused(bench, trained):
    codec = StaircaseCodec(levels=2)
    for name in ("data", "held-out"):
        write_dataset(bench.folder / name, codec)
    few = {"name": "staircase", "levels": 2, "codebook_size": 16, "sample_rate": 16_000}
    with pytest.raises(
        CheckpointError, match=r"3 levels of 16, the data has codes of .* 2 levels of 16"
    ):
        bench.open("second", start_from=str(trained), sections={"codec": few})


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("nobody", UnknownComponentError, "nobody"),
        ("./nowhere", CheckpointError, "nowhere is neither a weights file, nor a checkpoint"),
    ],
)
def test_what_does_not_exist_is_reported(bench, name, error, says):
    with pytest.raises(error, match=says) as caught:
        bench.open(start_from=name)
    assert caught.value.hint


def test_the_embedded_model_is_meant_by_its_name(bench):
    """It gets as far as to be compared with the config."""
    with pytest.raises(CheckpointError, match=r"was trained on codes of embedded"):
        bench.open(start_from="embedded")


def test_the_weights_keep_no_path_of_this_machine(bench, trained):
    bench.train("second", start_from=str(trained), commands="quit@1")
    saved = read_metadata(find_weights(bench.folder / "second"))["config"]
    assert json.loads(saved)["training"]["start_from"] == "weights.safetensors"
