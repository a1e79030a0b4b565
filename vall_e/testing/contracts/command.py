"""What the core relies on in a command of a plugin."""

from __future__ import annotations

import click
from click.testing import CliRunner


class CommandContract:
    """`make` returns the command, as the component's `build` does."""

    def make(self) -> click.Command:
        raise NotImplementedError

    def test_is_a_command_with_help(self) -> None:
        command = self.make()
        assert isinstance(command, click.Command)
        assert command.help, "its docstring is what `--help` shows"

    def test_shows_its_help(self) -> None:
        result = CliRunner().invoke(self.make(), ["--help"])
        assert result.exit_code == 0
        assert result.output.startswith("Usage:")

    def test_refuses_an_option_that_it_does_not_know(self) -> None:
        result = CliRunner().invoke(self.make(), ["--no-such-option"])
        assert result.exit_code == 2
