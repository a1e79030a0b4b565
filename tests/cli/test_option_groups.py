import click
from attrs import field, frozen
from click.testing import CliRunner

from vall_e.cli.option_groups import argument, grouped, option


@frozen
class Tea:
    leaf: str = field(metadata=argument(required=False))
    hot: bool = field(metadata=option("--hot/--cold", default=True))


@frozen
class Cups:
    count: int = field(metadata=option("-n", "--cups", type=int, default=1))


@click.command()
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
