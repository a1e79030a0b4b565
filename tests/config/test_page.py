"""docs/configuration.md says what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vall_e.config.load import load
from vall_e.discovery import discover
from vall_e.registry import Registry

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def installed() -> Registry:
    return discover(load_plugins=False)


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.yaml"
    path.write_text(blocks("yaml")[0])
    return path


def test_the_file_on_the_page_is_right(path, installed):
    config = load(path, installed)
    assert config.text.languages == ("en-us", "no")
    assert config.training.optimizer.options.lr == 3e-4


@pytest.mark.parametrize("code", blocks("python"), ids=["load", "plugin"])
def test_the_code_on_the_page_runs(code, path):
    exec(compile(code, "configuration.md", "exec"), {"__name__": "page"})  # noqa: S102


def test_the_overrides_on_the_page_work(path, installed):
    overrides = re.findall(r"^\| `--set ([^`]*)`", PAGE, flags=re.MULTILINE)
    assert len(overrides) == 7
    for override in overrides:
        if "gru" not in override:  # a plugin
            load(path, installed, overrides=[override.replace("'", "")])


def test_the_variables_on_the_page_work(path, installed):
    variables = re.findall(r"`(VALL_E__\w+)=([^`\s]*)`", PAGE)
    config = load(path, installed, environ=dict(variables))
    assert config.training.seed == 7
    assert config.sampling.ar[0].options.p == 0.7
