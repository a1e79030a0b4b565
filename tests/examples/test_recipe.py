"""The recipe's README names scripts, commands, options and files that exist."""

import re
import shlex
from pathlib import Path

import click
import pytest

from vall_e.cli.app import App, cli
from vall_e.config.load import load

RECIPE = Path(__file__).parents[2] / "examples" / "embedded"
README = (RECIPE / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)).replace("\\\n", " ")
LINES = [line.strip() for line in SHELL.splitlines()]
SCRIPTS = [line for line in LINES if re.match(r"\S*python \w+\.py", line)]
COMMANDS = [line for line in LINES if line.startswith("vall-e ")]


def options(line):
    return [word for word in shlex.split(line) if re.match(r"--?[a-z]", word)]


@pytest.mark.parametrize("line", SCRIPTS)
def test_scripts_have_the_options_that_the_readme_gives_them(line):
    source = (RECIPE / line.split()[1]).read_text(encoding="utf-8")
    for shared in re.findall(r"^from (\w+) import .*\bOUTPUT\b", source, flags=re.MULTILINE):
        source += (RECIPE / f"{shared}.py").read_text(encoding="utf-8")
    missing = [option for option in options(line) if f'"{option}"' not in source]
    assert not missing


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_have_the_options_that_the_readme_gives_them(line, registry):
    context = click.Context(cli, obj=App(registry=registry))
    command, words = cli, shlex.split(line)[1:]
    while isinstance(command, click.Group):
        command = command.get_command(context, words.pop(0))
        assert command is not None, line
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(options(line)) <= known


def test_the_readme_has_every_step():
    assert {line.split()[1] for line in SCRIPTS} == {
        "augment.py",
        "corpus.py",
        "public_corpora.py",
    }
    assert {" ".join(line.split()[1:3]) for line in COMMANDS} >= {
        "codec fit", "codec train", "data process", "train voice.yaml", "export runs/voice",
        "train nar.yaml", "export runs/nar", "eval --texts", "eval --data",
    }  # fmt: skip


@pytest.mark.parametrize("run", ["voice.yaml", "nar.yaml", "clear.yaml", "clear_nar.yaml"])
def test_the_datasets_of_a_run_are_made_by_the_readme(run, registry):
    config = load(RECIPE / run, registry)
    loops = re.findall(r"for name in (.*); do\n    vall-e data process", SHELL)
    made = [name for loop in loops for name in loop.split()]
    made += re.findall(r"^vall-e data process \S+ -o data/(\S+)", SHELL, flags=re.MULTILINE)
    named = [*config.data.train, *config.data.validation]
    assert {Path(folder) for folder in named} <= {RECIPE / "data" / name for name in made}


def test_files_of_the_readme_exist():
    for name in re.findall(r"`(\w+\.(?:py|json|tsv|txt|yaml))`", README):
        if name not in ("transcripts.tsv",):
            assert (RECIPE / name).is_file(), name


def test_test_sentences_are_a_hundred_distinct_ones():
    lines = (RECIPE / "harvard.txt").read_text(encoding="utf-8").splitlines()
    assert len(set(lines)) == 100
