import shlex

import click
import pytest
from attrs import field, frozen
from click.testing import CliRunner

from vall_e.cli.app import COMMANDS, cli
from vall_e.cli.option_groups import Explained, Grouped, argument, grouped, names_of, option


@frozen
class Tea:
    leaf: str = field(metadata=argument(required=False))
    hot: bool = field(metadata=option("--hot/--cold", default=True))


@frozen
class Cups:
    count: int = field(metadata=option("-n", "--cups", type=int, default=1))


@click.command(cls=Grouped)
@grouped(tea=Tea, cups=Cups)
@click.option("--loud", is_flag=True)
def brew(cups, tea, loud):
    """Make tea."""
    click.echo(f"{tea} {cups} {loud}")


def test_a_command_gets_an_object_of_each_group_beside_its_own_options():
    said = CliRunner().invoke(brew, ["oolong", "--cold", "-n", "3", "--loud"]).stdout
    assert said == f"{Tea('oolong', hot=False)} {Cups(3)} True\n"
    assert CliRunner().invoke(brew, []).stdout == f"{Tea(None, hot=True)} {Cups(1)} False\n"


def test_help_shows_the_groups_in_order():
    told = CliRunner().invoke(brew, ["--help"]).stdout
    assert "[LEAF]" in told
    assert "Make tea." in told
    assert told.index("--hot") < told.index("--cups") < told.index("--loud")


def test_help_has_sections_and_examples():
    @click.command(cls=Explained, sections={"Leaves": names_of(Tea)}, examples=["brew oolong -n 2"])
    @grouped(cups=Cups, tea=Tea)
    def titled(cups, tea):
        """Make tea."""

    told = CliRunner().invoke(titled, ["--help"]).stdout.partition("Leaves:")[2]
    places = [told.index(word) for word in ("--hot", "Other options:", "--cups", "Examples:")]
    assert places == sorted(places)
    assert told.endswith("\n  brew oolong -n 2\n")


def of_ours(kind):
    context = click.Context(cli)
    commands = {name: cli.get_command(context, name) for name in COMMANDS}
    return {name: command for name, command in commands.items() if isinstance(command, kind)}


@pytest.mark.parametrize("name", of_ours(Explained))
def test_the_examples_of_help_can_be_typed(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = cli.get_command(click.Context(cli), name)
    assert set().union(*command.sections.values()) <= {each.name for each in command.params}
    for line in command.examples:
        first, called, *words = shlex.split(line.partition("<")[0])
        for word in words:  # what is there when it is typed
            if "." in word and "=" not in word and not word.startswith("-"):
                (tmp_path / word).parent.mkdir(exist_ok=True, parents=True)
                (tmp_path / word).touch()
            elif word.endswith("/") or word.startswith("runs/"):
                (tmp_path / word).mkdir(exist_ok=True, parents=True)
        assert first == "vall-e"
        known = cli.get_command(click.Context(cli), called)
        known.make_context(called, words)
