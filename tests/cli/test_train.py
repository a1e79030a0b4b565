import json
import re
import subprocess
import sys

import pytest
import yaml
from attrs import evolve
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.discovery import registry_of
from vall_e.registry import Registry
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.weights.locate import find_weights
from vall_e.weights.metadata import read_metadata

CONFIG = {
    "model": {"backbone": {"name": "llama", "d_model": 16, "layers": 1, "heads": 2}},
    "codec": {"name": "staircase", "levels": 2, "codebook_size": 16, "sample_rate": 16_000},
    "text": {"phonemizer": "none"},
    "data": {"train": ["data"], "validation": ["data"], "prompt_seconds": [0.3, 0.6]},
    "training": {"output": "run", "max_steps": 3},
}


@pytest.fixture(scope="module")
def staircase(registry):
    """As it is where a distribution `staircase` is installed."""
    offers = [evolve(o, distribution="staircase") for o in registry_of([components]).offers]
    return Registry([*registry.offers, *offers])


@pytest.fixture
def vall_e(staircase, tmp_path):
    write_dataset(tmp_path / "data", StaircaseCodec(levels=2), utterances=6)
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(CONFIG))

    def run(*args):
        return CliRunner().invoke(cli, [str(arg) for arg in args], obj=App(registry=staircase))

    return run


def test_a_run_is_trained_resumed_and_exported(vall_e, tmp_path):
    config = tmp_path / "run.yaml"
    result = vall_e("train", config)
    assert result.exit_code == 0, result.stderr
    assert "step 1/3  loss " in result.stderr
    assert "validation after step 3: ar " in result.stderr
    assert "step 3 of 3" in result.stderr
    assert result.stdout == ""
    again = vall_e("train", config, "--resume", "--max-steps", 5)
    assert "from step 3 to 5" in again.stderr
    weights = tmp_path / "mine.safetensors"
    result = vall_e("export", tmp_path / "run", "-o", weights)
    assert result.exit_code == 0, result.stderr
    assert weights.is_file()


def test_a_run_is_not_started_twice(vall_e, tmp_path):
    vall_e("train", tmp_path / "run.yaml")
    result = vall_e("train", tmp_path / "run.yaml")
    assert result.exit_code == 9
    assert "already contains a run" in result.stderr
    assert "Hint: continue it with --resume" in result.stderr


def test_a_missing_dataset_has_the_code_of_data(vall_e, tmp_path):
    result = vall_e("train", tmp_path / "run.yaml", "--set", "data.train=[nowhere]")
    assert result.exit_code == 8
    assert "nowhere is not a dataset" in result.stderr


def test_a_run_may_start_from_other_weights(vall_e, tmp_path, monkeypatch):
    """Named from the working directory on the command line, from its own folder in the YAML."""
    assert vall_e("train", tmp_path / "run.yaml").exit_code == 0
    raw = {**CONFIG, "training": {"output": "mine", "max_steps": 1, "start_from": "./run"}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(raw))
    result = vall_e("train", tmp_path / "mine.yaml")
    assert result.exit_code == 0, result.stderr
    assert "from step 0 to 1, with the weights of" in result.stderr
    monkeypatch.chdir(tmp_path / "run")
    path = tmp_path / "run.yaml"
    more = ("--set", f"training.output={tmp_path / 'more'}", "--max-steps", 1)
    result = vall_e("train", path, "--from", "step-000003/weights.safetensors", *more)
    assert result.exit_code == 0, result.stderr


def test_a_model_trained_from_another_speaks_with_its_options(vall_e, tmp_path):
    speaking = {**CONFIG, "synthesis": {"hold_end": True}, "sampling": {"guidance": 2.0}}
    (tmp_path / "first.yaml").write_text(yaml.safe_dump(speaking))
    vall_e("train", tmp_path / "first.yaml", "--max-steps", 1)
    raw = {
        **CONFIG,
        "training": {"output": "mine", "max_steps": 1, "start_from": "./run"},
        "sampling": {"guidance": 3.0},
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(raw))
    assert vall_e("train", tmp_path / "mine.yaml").exit_code == 0
    saved = json.loads(read_metadata(find_weights(tmp_path / "mine"))["config"])
    assert (saved["synthesis"]["hold_end"], saved["sampling"]["guidance"]) == (True, 3.0)
    shown = vall_e("config", "show", tmp_path / "mine.yaml").stdout
    assert re.search(r"hold_end: true +# weights of .*run\n", shown)


def test_a_folder_that_is_taken_for_a_name_is_reported(vall_e, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first").mkdir()
    result = vall_e("train", "run.yaml", "--from", "first")
    assert result.exit_code != 0
    assert "there is no model called 'first'" in result.stderr
    assert "Hint: write ./first for the file or folder with that name" in result.stderr


def test_a_run_that_cannot_start_leaves_no_folder(vall_e, tmp_path):
    assert vall_e("train", tmp_path / "run.yaml", "--from", "nosuch").exit_code == 4
    assert not (tmp_path / "run").exists()


def test_weights_that_a_resumed_run_does_not_use_are_reported(vall_e, tmp_path):
    vall_e("train", tmp_path / "run.yaml", "--max-steps", 1)
    arguments = ("train", tmp_path / "run.yaml", "--max-steps", 2, "--resume")
    told = "./other is not used: the run continues with its own"
    assert told in vall_e(*arguments, "--from", "./other").stderr
    assert told not in vall_e(*arguments[:-1], "--resume").stderr


def test_a_rank_that_is_not_a_number_is_reported(staircase, vall_e, tmp_path):
    app = App(registry=staircase, environ={"RANK": "first"})
    result = CliRunner().invoke(cli, ["train", str(tmp_path / "run.yaml")], obj=app)
    assert result.exit_code == 9
    assert "the variable RANK is 'first'" in result.stderr


def test_overfitting_leaves_the_folder_of_the_run_alone(vall_e, tmp_path):
    result = vall_e("train", tmp_path / "run.yaml", "--overfit", 1)
    assert result.exit_code == 0, result.stderr
    assert not (tmp_path / "run").exists()
    assert (tmp_path / "run-overfit" / "latest").is_file()


def test_an_output_that_cannot_be_made_is_reported(vall_e, tmp_path):
    (tmp_path / "file").write_text("")
    output = tmp_path / "file" / "run"
    result = vall_e("train", tmp_path / "run.yaml", "--set", f"training.output={output}")
    assert result.exit_code == 9
    assert f"{output} cannot be written to: Not a directory" in result.stderr


HOLDER = """
import sys
from pathlib import Path
from vall_e.errors import DataError
from vall_e.folder_lock import locked
with locked(Path(sys.argv[1]), error=DataError):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_processes_do_not_train_into_one_folder(vall_e, tmp_path):
    """And what a killed one has held is free."""
    arguments = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(arguments, **pipes, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        result = vall_e("train", tmp_path / "run.yaml")
        holder.kill()
    assert result.exit_code == 9
    assert "run is being written by another process" in result.stderr
    assert vall_e("train", tmp_path / "run.yaml").exit_code == 0


def test_a_checkpoint_is_evaluated_without_training(vall_e, tmp_path):
    assert vall_e("train", tmp_path / "run.yaml").exit_code == 0
    before = sorted(path.name for path in (tmp_path / "run").glob("step-*"))
    result = vall_e("train", tmp_path / "run.yaml", "--evaluate-only")
    assert result.exit_code == 0, result.stderr
    assert "validation after step 3: ar " in result.stderr
    assert "step 3 of 3" not in result.stderr
    assert sorted(path.name for path in (tmp_path / "run").glob("step-*")) == before
