import pytest
import yaml
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.testing import StaircaseCodec
from vall_e.testing.dataset import write_dataset

CONFIG = {
    "model": {"backbone": {"name": "llama", "d_model": 16, "layers": 1, "heads": 2}},
    "data": {"train": ["data"], "validation": ["data"], "prompt_seconds": [0.3, 0.6]},
    "training": {"output": "run", "max_steps": 3},
}


@pytest.fixture
def vall_e(registry, tmp_path):
    write_dataset(tmp_path / "data", StaircaseCodec(levels=2), utterances=6)
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(CONFIG))

    def run(*args):
        return CliRunner().invoke(cli, [str(arg) for arg in args], obj=App(registry=registry))

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
    assert "holds a run already" in result.stderr
    assert "Hint: go on with --resume" in result.stderr


def test_a_missing_dataset_has_the_code_of_data(vall_e, tmp_path):
    result = vall_e("train", tmp_path / "run.yaml", "--set", "data.train=[nowhere]")
    assert result.exit_code == 8
    assert "nowhere is not a dataset" in result.stderr
