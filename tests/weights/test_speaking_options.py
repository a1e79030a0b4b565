"""A run that starts from other weights inherits their speaking options."""

import json
import shutil

import pytest
import yaml

from vall_e.config.load import load, unstructure
from vall_e.errors import CheckpointError
from vall_e.weights.locate import named_weights
from vall_e.weights.metadata import read_metadata
from vall_e.weights.speaking_options import load_run

FROM_EMBEDDED = {"training": {"start_from": "embedded", "output": "run"}}


@pytest.fixture
def loaded(registry, tmp_path):
    def loaded(raw, *overrides):
        path = tmp_path / "run.yaml"
        path.write_text(yaml.safe_dump(raw))
        return load_run(path, registry, overrides=overrides)

    return loaded


def origin(found, *where):
    return str(found.origin(where)).replace("\\", "/").rpartition("/")[2]


def test_speaking_options_are_those_of_the_weights(loaded, registry):
    weights = named_weights("embedded", registry)
    saved = json.loads(read_metadata(weights)["config"])
    found = unstructure(loaded(FROM_EMBEDDED).config)
    assert found["sampling"] == saved["sampling"]
    # A trained model writes all levels itself, on whatever machine.
    other = {"nar", "device", "threads"}
    assert {
        key for key, value in saved["synthesis"].items() if value != found["synthesis"][key]
    } <= other
    assert found["synthesis"]["nar"] == ""
    assert found["training"]["max_steps"] == 10_000


def test_what_the_run_says_has_priority_and_each_origin_is_known(loaded):
    raw = {**FROM_EMBEDDED, "synthesis": {"hold_end": False}, "sampling": {"demask": {"steps": 3}}}
    found = loaded(raw, "sampling.guidance=2.5")
    assert not found.config.synthesis.hold_end
    assert found.config.synthesis.sentence_words == 16
    assert found.config.sampling.guidance == 2.5
    assert found.config.sampling.demask.steps == 3
    assert origin(found, "sampling", "guidance") == "--set"
    assert origin(found, "synthesis", "hold_end").startswith("run.yaml:")
    assert origin(found, "synthesis", "sentence_words") == "weights of embedded"
    assert origin(found, "training", "max_steps") == "default"


def test_an_entry_of_an_inherited_list_can_be_changed(loaded):
    """As the entry of any list: the others stay."""
    found = loaded(FROM_EMBEDDED, "sampling.ar.repetition-aware.window=5")
    (sampler,) = found.config.sampling.ar
    assert (sampler.options.window, sampler.options.p) == (5, 0.8)


def test_a_section_without_options_inherits_all(loaded, tmp_path, registry):
    (tmp_path / "run.yaml").write_text("training: {start_from: embedded}\nsampling:\n")
    assert load_run(tmp_path / "run.yaml", registry).config.sampling.guidance == 1.75


def test_a_run_may_start_from_weights_that_only_the_command_line_names(loaded):
    assert loaded({}, "training.start_from=embedded").config.sampling.guidance == 1.75


def test_a_run_that_starts_from_nothing_has_the_defaults(loaded, registry, tmp_path):
    assert loaded({}).config == load(tmp_path / "run.yaml", registry)


def test_a_path_counts_from_the_folder_of_the_file(loaded, tmp_path, registry):
    shutil.copy(named_weights("embedded", registry), tmp_path / "base.safetensors")
    assert loaded({"training": {"start_from": "./base.safetensors"}}).config.synthesis.hold_end


def test_weights_that_are_missing_are_named(loaded):
    with pytest.raises(CheckpointError, match=r"nowhere\.safetensors is neither"):
        loaded({"training": {"start_from": "./nowhere.safetensors"}})


def test_a_run_whose_first_weights_are_gone_keeps_its_options(loaded, tmp_path, registry):
    checkpoint = tmp_path / "run" / "step-000001"
    checkpoint.mkdir(parents=True)
    shutil.copy(named_weights("embedded", registry), checkpoint / "weights.safetensors")
    (tmp_path / "run" / "latest").write_text("step-000001\n")
    raw = {"training": {"start_from": "./gone.safetensors", "output": "run"}}
    assert loaded(raw).config.sampling.guidance == 1.75
