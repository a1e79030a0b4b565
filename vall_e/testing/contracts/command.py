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
        assert isinstance(command, click.Command), (
            f"`build` returned {command!r}, not a click command"
        )
        assert command.help, "the command has no docstring, which `--help` shows"

    def test_shows_its_help(self) -> None:
        result = CliRunner().invoke(self.make(), ["--help"])
        assert result.exit_code == 0, f"--help ends with exit code {result.exit_code}"
        assert result.output.startswith("Usage:"), f"--help starts with {result.output[:20]!r}"

    def test_refuses_an_unknown_option(self) -> None:
        result = CliRunner().invoke(self.make(), ["--no-such-option"])
        assert result.exit_code == 2, (
            f"an unknown option ends with exit code {result.exit_code}, not 2: "
            "do not set ignore_unknown_options"
        )
