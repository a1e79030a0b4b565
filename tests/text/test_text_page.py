"""The programs and commands of docs/text.md run."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.discovery import discover
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.text.lexicon import Lexicon

PAGE = (Path(__file__).parents[2] / "docs" / "text.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_its_programs_run(tmp_path, monkeypatch):
    pytest.importorskip("tokenizers")
    write_dataset(tmp_path / "data" / "speech", StaircaseCodec())
    monkeypatch.chdir(tmp_path)
    [program] = blocks("python")
    exec(compile(program, "text.md", "exec"), {})  # noqa: S102 - the page is ours
    assert (tmp_path / "tokenizer.json").is_file()


@pytest.mark.slow
def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    registry = discover()
    for line in commands:
        words = shlex.split(line, comments=True)
        assert words[0] == "vall-e"
        short = {"VALL_E__SYNTHESIS__MAX_SECONDS": "1"}
        result = CliRunner().invoke(cli, words[1:], obj=App(registry=registry, environ=short))
        assert result.exit_code == 0, (line, result.output)
    assert len(commands) >= 1


def test_its_lexicon_is_one(tmp_path):
    [lines] = [block for block in blocks("text") if "word<tab>" in block]
    (tmp_path / "words.tsv").write_text(lines, encoding="utf-8")
    assert "New York" in Lexicon.read(tmp_path / "words.tsv").entries
