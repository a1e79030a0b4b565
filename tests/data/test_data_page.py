"""The commands of the page about data do what it says."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.cli.app import App, cli
from vall_e.testing import StaircaseCodec, tiny_bundle

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]


@pytest.fixture
def folder(small_registry, tmp_path, monkeypatch):
    """Recordings, a configuration and a model, as the page names them."""
    for number in range(3):
        noise = np.random.default_rng(number).uniform(-0.3, 0.3, 6_000).astype(np.float32)
        path = tmp_path / "recordings" / "ann" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        Clip(noise, 16_000).write(path)
        path.with_suffix(".txt").write_text("hello")
    (tmp_path / "run.yaml").write_text("codec: staircase\ntext: {phonemizer: none}\n")
    tiny_bundle(small_registry, StaircaseCodec()).save(tmp_path / "mine.safetensors")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_commands_of_the_page_run(small_registry, folder):
    pytest.importorskip("h5py")
    pytest.importorskip("pocketsphinx")
    for line in COMMANDS:
        words = shlex.split(line, comments=True)
        result = CliRunner().invoke(cli, words[1:], obj=App(registry=small_registry, environ={}))
        assert result.exit_code == 0, (line, result.output)
    assert len(COMMANDS) == 12
    assert "3 utterances" in (folder / "stats.html").read_text()
    assert (folder / "data" / "mine" / "similar.jsonl").exists()
    assert len(list((folder / "listen").glob("*.wav"))) == 3
