import errno
import logging
import os
import signal
import subprocess
import sys

import click
import pytest
from attrs import frozen
from click.testing import CliRunner
from rich.console import Console

from vall_e import errors
from vall_e.__main__ import main
from vall_e.cli.app import COMMANDS, App, cli
from vall_e.discovery import registry_of
from vall_e.errors import VallEError
from vall_e.hookspecs import hookimpl
from vall_e.registry import Component


@frozen
class NoOptions:
    """Nothing to choose."""


class Commands:
    """A plugin that offers a command which calls `body`, under each of `names`."""

    def __init__(self, body, *names):
        self.names = names or ("hum",)
        self.body = body

    def build(self, config):
        return click.Command("hum", callback=self.body)

    @hookimpl
    def vall_e_register_commands(self):
        return [Component(name, NoOptions, self.build, "Hum a tune.") for name in self.names]


def run(*args, body=lambda: None, names=()):
    app = App(console=Console(stderr=True), registry=registry_of([Commands(body, *names)]))
    return CliRunner().invoke(cli, args, obj=app, prog_name="vall-e")


ERRORS = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_of_ours_is_two_lines_and_an_exit_code(error):
    def fail():
        raise error("the voice is silent", hint="record it again")

    result = run("hum", body=fail)
    assert result.exit_code == error.exit_code != 0
    assert result.stderr == "Error: the voice is silent\nHint: record it again\n"
    assert result.stdout == ""


def test_an_error_without_a_hint_is_one_line():
    def fail():
        raise VallEError("the voice is silent")

    assert run("hum", body=fail).stderr == "Error: the voice is silent\n"


def test_a_bug_keeps_its_traceback():
    def fail():
        raise KeyError("codes")

    result = run("hum", body=fail)
    assert result.exit_code == 70
    assert "in fail\n" in result.stderr
    assert "KeyError: 'codes'\nThis is a bug in vall-e or in a plugin" in result.stderr


def test_an_interrupt_ends_with_130():
    def fail():
        raise KeyboardInterrupt

    result = run("hum", body=fail)
    assert (result.exit_code, result.stderr.strip()) == (130, "Aborted!")


def test_a_command_can_choose_its_exit_code():
    assert run("hum", body=lambda: click.get_current_context().exit(5)).exit_code == 5


def test_what_a_command_returns_is_not_an_exit_code():
    assert run("hum", body=lambda: 5).exit_code == 0


def test_a_wrong_command_line_ends_with_2():
    result = run("hum", "--loud")
    assert result.exit_code == 2
    assert "No such option" in result.stderr


def test_no_arguments_show_the_help():
    assert "Zero-shot text-to-speech" in run().output


def test_options_without_a_command_show_the_help():
    result = run("-v")
    assert result.exit_code == 0
    assert "Zero-shot text-to-speech" in result.stdout


def test_help_lists_our_commands_and_those_of_plugins():
    result = run("--help")
    for name, (_, summary) in COMMANDS.items():
        assert f"  {name}" in result.stdout
        assert summary in result.stdout
    assert "Commands of plugins:\n  hum  Hum a tune.\n" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_of_ours_is_where_the_table_says(name):
    command = cli.get_command(click.Context(cli), name)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help


def test_a_plugin_cannot_take_the_name_of_a_command_of_ours():
    assert "Commands:synth  Hum a tune." in run("--help", names=["synth"]).stdout
    assert run("Commands:synth", body=lambda: click.echo("hm"), names=["synth"]).stdout == "hm\n"


def test_a_plugin_command_that_is_not_a_command_is_the_plugins_fault():
    class Odd(Commands):
        def build(self, config):
            return print

    app = App(registry=registry_of([Odd(None)]))
    result = CliRunner().invoke(cli, ["hum"], obj=app)
    assert result.exit_code == 4
    assert "the plugin command 'hum' is not a click.Command" in result.stderr


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        (
            errno.EACCES,
            1,
            "Error: /x: Permission denied\nHint: check the permissions of the file or folder\n",
        ),
        (errno.ENOENT, 70, "This is a bug"),
    ],
)
def test_what_the_machine_does_not_allow_is_not_a_bug(number, code, says):
    def refuse():
        raise OSError(number, os.strerror(number), "/x")

    result = run("hum", body=refuse)
    assert (result.exit_code, says in result.stderr) == (code, True)
    assert ("Traceback" in result.stderr) is (code == 70)


def test_an_unknown_command_is_named():
    result = run("humm")
    assert result.exit_code == 2
    assert "No such command 'humm'.\nHint: did you mean 'hum'?" in result.stderr
    assert "did you mean 'synth'?" in run("sinth").stderr


def test_a_command_of_ours_stays_ours(site, plugin_source):
    site.install("vall-e", plugin_source("hum", kind="command"))
    site.install("my-plugin", plugin_source("hum", kind="command"))
    app = App(registry=site.discover())
    told = CliRunner().invoke(cli, ["--help"], obj=app).stdout
    assert told.partition("Commands of plugins:")[2].strip() == "my-plugin:hum  a test"
    result = CliRunner().invoke(cli, ["hum"], obj=app)
    assert "the plugin command 'hum' is not a click.Command: 3" in result.stderr


def test_an_unknown_command_may_belong_to_a_broken_plugin(site):
    site.install("plugin", "1 / 0")
    result = CliRunner().invoke(cli, ["hum"], obj=App(registry=site.discover()))
    assert result.exit_code == 2
    assert "plugin 1.0 (demo): ZeroDivisionError: division by zero" in result.stderr


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ([], ["Warning: loud [x]"]),
        (["-v"], ["Warning: loud [x]", "plain"]),
        (
            ["-vv"],
            [
                "vall_e.demo: Warning: loud [x]",
                "vall_e.demo: plain",
                "vall_e.demo: quiet",
            ],
        ),
    ],
)
def test_verbosity_decides_which_records_are_reported(flags, says):
    def speak():
        logger = logging.getLogger("vall_e.demo")
        logger.warning("loud [x]")
        logger.info("plain")
        logger.debug("quiet")
        logging.getLogger("somebody.else").info("chatter")

    root = logging.getLogger()
    before = list(root.handlers), root.level
    result = run(*flags, "hum", body=speak)
    assert (list(root.handlers), root.level) == before
    assert result.stderr.splitlines() == says
    assert result.stdout == ""


def test_the_version_names_the_hook_api():
    result = run("--version")
    assert result.stdout.startswith("vall-e ")
    assert "hook API" in result.stdout


def test_no_plugins_leaves_plugins_out(site, plugin_source):
    site.install("plugin", plugin_source("hum", kind="command"))
    assert "hum" in site.vall_e("--help").stdout
    assert "hum" not in site.vall_e("--no-plugins", "--help").stdout


def test_help_works_when_every_plugin_is_broken(site):
    site.install("plugin-one", "1 / 0")
    site.install("plugin-two", "import sys; sys.exit(9)")
    done = site.vall_e("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "synth" in done.stdout


def test_help_imports_little_beside_click():
    code = (
        "import sys; from vall_e.cli.app import cli; cli(['--help'], standalone_mode=False); "
        "heavy = {'torch', 'attrs', 'rich', 'yaml', 'pluggy', 'importlib.metadata', 'cattrs'}; "
        "sys.exit(str(sorted(heavy & set(sys.modules)) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.stderr.strip() == b""


def test_no_command_imports_torch_when_it_is_loaded():
    code = (
        "import click, sys; from vall_e.cli.app import cli, COMMANDS; "
        "[cli.get_command(click.Context(cli), name) for name in COMMANDS]; "
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_ctrl_c_that_is_ignored_stays_so(monkeypatch):
    changed = []
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_IGN)
    monkeypatch.setattr(signal, "signal", lambda *change: changed.append(change))
    monkeypatch.setattr("vall_e.cli.app.cli", lambda **_: None)
    main()
    assert not changed
