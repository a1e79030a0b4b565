"""`vall-e config`, as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import yaml
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.config.load import load


@pytest.fixture
def run(registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*args: str, environ: dict[str, str] | None = None):
        app = App(environ=environ or {}, registry=registry)
        return CliRunner().invoke(cli, ["config", *args], obj=app, prog_name="vall-e")

    return run


def test_init_writes_a_file_that_is_right_and_says_what_the_defaults_say(run, registry, tmp_path):
    assert run("init").exit_code == 0
    assert run("validate", "run.yaml").stdout == "run.yaml: no mistakes found\n"
    path = tmp_path / "run.yaml"
    assert load(path, registry) == load(None, registry)
    assert [file.name for file in tmp_path.iterdir()] == ["run.yaml"]


def test_init_overwrites_nothing_unasked(run, tmp_path):
    (tmp_path / "run.yaml").write_text("mine")
    result = run("init")
    assert result.exit_code == 3
    assert (
        result.stderr == "Error: run.yaml exists already\nHint: give --force, or another -o FILE\n"
    )
    assert (tmp_path / "run.yaml").read_text() == "mine"
    assert run("init", "--force").exit_code == 0
    assert run("validate", "run.yaml").exit_code == 0


def test_init_writes_to_stdout_or_says_why_it_cannot_write(run, tmp_path):
    assert run("init", "-o", "-").stdout.startswith("# A run of vall-e.")
    assert list(tmp_path.iterdir()) == []
    result = run("init", "-o", "nowhere/run.yaml")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "nowhere/run.yaml cannot be written: No such file or directory" in result.stderr


def test_init_takes_other_values(run):
    text = run("init", "-o", "-", "--set", "training.seed=7").stdout
    assert yaml.safe_load(text)["training"]["seed"] == 7


def test_validate_says_every_mistake_and_exits_with_3(run, tmp_path):
    (tmp_path / "run.yaml").write_text("training:\n  sed: 1\n  keep: none\n")
    result = run("validate", "run.yaml", "--set", "text.unknown=x")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "Error: run.yaml: 3 mistakes",
        "  run.yaml:2: training.sed: unknown key, did you mean 'seed'?",
        "  run.yaml:3: training.keep: expected a whole number, got 'none'",
        "  --set: text.unknown: expected one of 'error', 'warn', got 'x'",
        "Hint: correct the file; `vall-e config show` prints every option with its value",
    ]


def test_validate_of_a_missing_file_exits_with_3(run):
    result = run("validate", "run.yaml")
    assert result.exit_code == 3
    assert "run.yaml cannot be read: No such file or directory" in result.stderr


def test_show_says_where_each_value_comes_from(run, tmp_path):
    (tmp_path / "run.yaml").write_text("training:\n  seed: 1\n  keep: 9\n")
    result = run(
        "show", "run.yaml", "--set", "training.threads=2", environ={"VALL_E__TRAINING__KEEP": "8"}
    )
    assert result.exit_code == 0
    for line in (
        "  seed: 1  # run.yaml:2",
        "  keep: 8  # environment VALL_E__TRAINING__KEEP",
        "  threads: 2  # --set",
        "  clip_norm: 1.0  # default",
    ):
        assert line in result.stdout.splitlines()


def test_what_show_prints_is_a_file_that_says_the_same(run, tmp_path):
    (tmp_path / "run.yaml").write_text("training: {seed: 1, levels: [0, 1]}\n")
    shown = run("show", "run.yaml").stdout
    (tmp_path / "again.yaml").write_text(shown)
    assert (
        run("show", "again.yaml", "--no-origin").stdout
        == run("show", "run.yaml", "--no-origin").stdout
    )
    assert "#" not in run("show", "run.yaml", "--no-origin").stdout


def test_show_speaks_json(run):
    values = json.loads(run("show", "--json", "--set", "training.seed=4").stdout)
    assert values["training.seed"] == {"value": 4, "origin": "--set"}
    assert values["sampling.nar.0.name"] == {"value": "greedy", "origin": "default"}
    config = json.loads(run("show", "--json", "--no-origin").stdout)
    assert config["training"]["seed"] == 0


def test_schema_is_json_schema_with_the_options_of_components(run):
    schema = json.loads(run("schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    samplers = schema["$defs"]["sampler"]["anyOf"][1:]
    top_p = next(sampler for sampler in samplers if sampler["title"] == "top-p")
    assert top_p["properties"]["p"]["maximum"] == 1


@pytest.mark.parametrize("command", [["show"], ["schema"], ["init", "-o", "-"], ["validate"]])
def test_the_commands_need_no_torch(command, tmp_path):
    if command == ["validate"]:
        (tmp_path / "run.yaml").touch()
        command = [*command, str(tmp_path / "run.yaml")]
    code = (
        "import sys\n"
        "from vall_e.cli.app import cli\n"
        f"cli(['config', *{command!r}], standalone_mode=False)\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr
