"""The commands of docs/ecker_models.md, and the configs that it names."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.config.load import load
from vall_e.export.formats.ecker import EckerExporter
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ecker_models.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
CONFIGS = sorted((ROOT / "examples" / "configs").glob("*llama-*.yaml"))
LLAMA = {"name": "llama", "d_model": 32, "layers": 1, "heads": 2, "d_ff": 128, "activation": "gelu"}


def test_the_commands_of_the_page_work(registry, tmp_path, monkeypatch):
    bundle = tiny_bundle(
        registry, StaircaseCodec(), model={"backbone": LLAMA, "prompt_levels": "known"}
    )
    EckerExporter()(bundle, tmp_path / "model.sft")
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        result = CliRunner().invoke(cli, shlex.split(command)[1:], obj=App(registry=registry))
        assert result.exit_code == 0, result.output
    assert (tmp_path / "again.sft").is_file()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_loads(registry, path):
    config = load(path, registry)
    assert config.model.backbone.options.activation == "gelu"
    assert config.training.output.endswith(path.stem)


def test_there_is_a_config_for_each_model_that_can_be_named():
    assert {path.stem for path in CONFIGS} >= {
        "ar+nar-llama-8",
        "ar+nar-llama-8-2025",
        "ar+nar-len-llama-8",
        "ar+nar-quarter-llama-8",
        "ar+nar-llama-9",
        "ar+nar-llama-x4-8",
        "ar-llama-1",
        "nar-llama-8",
    }
