"""Every command and YAML block of a page is one that exists: parsed here, not run."""

import copy
import re
import shlex
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import click
import pytest

from vall_e.cli.app import cli
from vall_e.cli.data.url_or_folder import FolderOrUrl
from vall_e.config.load import load

ROOT = Path(__file__).parents[1]
PLUGINS = sorted(ROOT.glob("plugins/*/README.md"))
# docs/cli.md is what `--help` says, which has a test of its own.
DOCS = [path for path in sorted(ROOT.glob("docs/**/*.md")) if path.name != "cli.md"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS, *PLUGINS]
COMMAND = re.compile(r"(^|[|&;] *|[A-Z_]+=\S+ +)vall-e |-m vall_e ")


def _blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^ *```(?:{language})\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)


def _commands(page: Path) -> list[str]:
    blocks = _blocks(page, "sh|bash|console|text")
    lines = "".join(block.replace("\\\n", " ") for block in blocks).splitlines()
    return [line.strip().removeprefix("$ ") for line in lines if COMMAND.search(line)]


def _arguments(line: str) -> Iterator[list[str]]:
    """The words after each `vall-e` of a line, which may be a pipe."""
    shell = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    shell.whitespace_split = True
    words: list[str] = []
    for word in [*shell, ";"]:
        if not set(word) <= set("|&;<>"):
            words.append(word)
            continue
        names = [at for at, name in enumerate(words) if name in {"vall-e", "vall_e"}]
        if names and (words[names[0]] == "vall_e" or all("=" in x for x in words[: names[0]])):
            yield words[names[0] + 1 :]
        words = []


def _parse(words: list[str], command: click.Command = cli, above: click.Context | None = None):
    """Check options and values as click does, but for whether files exist."""
    ctx = click.Context(command, parent=above, info_name=command.name, **command.context_settings)
    given, rest, _ = command.make_parser(ctx).parse_args(list(words))
    if "help" in given:
        return
    for param in command.params:
        value, _ = param.consume_value(ctx, given)
        checked = copy.copy(param)
        checked.callback = None
        if isinstance(param.type, (click.Path, FolderOrUrl)):
            checked.type = click.STRING
        checked.process_value(ctx, value)
    if isinstance(command, click.Group) and rest:
        _, found, rest = command.resolve_command(ctx, rest)
        _parse(rest, found, ctx)
    elif rest:
        raise click.UsageError(f"unexpected: {rest}")


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if _commands(page)], ids=_name)
def test_the_commands_of_a_page_have_these_options(page):
    wrong = []
    for line in _commands(page):
        try:
            for words in _arguments(line):
                _parse(words)
        except (click.ClickException, ValueError) as exc:
            wrong.append(f"{line}: {exc}")
    assert wrong == []


@pytest.mark.parametrize("page", [page for page in PAGES if _blocks(page, "yaml")], ids=_name)
def test_the_yaml_of_a_page_is_a_config(page, registry, tmp_path):
    if page in PLUGINS:
        try:
            metadata.distribution(page.parent.name)
        except metadata.PackageNotFoundError:
            pytest.skip(f"{page.parent.name} is not installed")
    for block in _blocks(page, "yaml"):
        for included in re.findall(r"[\w./]+\.yaml", block):
            (tmp_path / "run" / included).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "run" / included).touch()
        (tmp_path / "run").mkdir(exist_ok=True)
        path = tmp_path / "run" / "page.yaml"
        path.write_text(block, encoding="utf-8")
        load(path, registry)


@pytest.mark.parametrize(
    "line",
    [
        "vall-e synth Hello. --loudly",
        "vall-e sing",
        "vall-e synth a b",
        "echo a | vall-e synth --x",
    ],
)
def test_a_command_that_does_not_exist_is_found(line):
    [words] = _arguments(line)
    with pytest.raises(click.UsageError):
        _parse(words)
