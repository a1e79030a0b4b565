"""The `vall-e` command: finds its subcommands, and turns errors into exit codes. Torch-free."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from vall_e.cli.hints import in_options
from vall_e.cli.plugin_commands import folders_with_commands
from vall_e.errors import PluginError, VallEError

# `vall-e --help` must answer at once: heavy modules are imported where they are used.
if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from vall_e.registry import Registry

COMMANDS = {
    "synth": ("vall_e.cli.synth.command:synth", "Speak a text in a given voice."),
    "serve": ("vall_e.cli.serve:serve", "Serve speech over HTTP, with OpenAI's interface."),
    "voices": ("vall_e.cli.voices:voices", "List, add and remove voices."),
    "provenance": ("vall_e.cli.provenance:provenance", "Show how a recording was made."),
    "train": ("vall_e.cli.train:train", "Train a model from a YAML file."),
    "adapt": ("vall_e.cli.adapt:adapt", "Adapt a model to your voice."),
    "plot": ("vall_e.cli.plot:plot", "Plot the metrics of training runs."),
    "runs": ("vall_e.cli.runs:runs", "List and compare training runs."),
    "models": ("vall_e.cli.models:models", "Convert models of other projects."),
    "export": ("vall_e.cli.export:export", "Write a trained model in another format."),
    "codec": ("vall_e.cli.codec.command:codec", "Encode and decode recordings; train codecs."),
    "data": ("vall_e.cli.data.command:data", "Make datasets from recordings."),
    "config": ("vall_e.cli.config:config", "Create, check and show YAML files."),
    "plugins": ("vall_e.cli.plugins.command:plugins", "List, check and install plugins."),
    "eval": ("vall_e.cli.eval.command:evaluate", "Evaluate models, codecs and voices."),
    "bench": ("vall_e.cli.bench.command:bench", "Measure speed and memory on this machine."),
}
"""Where each command is, and its help line: `vall-e --help` imports none of them."""

INTERRUPTED = 130
BUG = 70
OFFLINE = "HF_HUB_OFFLINE"
REFUSALS = {
    errno.EACCES: "check the permissions of the file or folder",
    errno.EPERM: "check the permissions of the file or folder",
    errno.EROFS: "write to another disk: this one is read-only",
    errno.ENOSPC: "free some space on the disk",
    errno.EDQUOT: "free some space: the disk quota is used up",
    errno.EMFILE: "allow more open files, with `ulimit -n`",
    errno.ENAMETOOLONG: "give a shorter name",
}
"""What to do about each `OSError` that is not a bug."""


class App:
    """What commands need from outside. Tests pass an instance with fakes as `obj=`."""

    def __init__(
        self,
        console: Console | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        load_plugins: bool = True,
        registry: Registry | None = None,
    ) -> None:
        self._console = console
        self.environ: Mapping[str, str] = dict(os.environ) if environ is None else environ
        self.load_plugins = load_plugins
        """False loads built-in components only."""
        self._registry = registry

    @property
    def console(self) -> Console:
        """For progress and messages; results go to stdout through `click.echo`."""
        if self._console is None:
            from rich.console import Console

            self._console = Console(stderr=True)
        return self._console

    @property
    def registry(self) -> Registry:
        """Loaded when first used."""
        if self._registry is None:
            from vall_e.discovery import discover

            self._registry = discover(environ=self.environ, load_plugins=self.load_plugins)
        return self._registry

    @property
    def commands(self) -> Registry | None:
        """Plugins that offer commands, and perhaps others; None if there are none."""
        if self._registry is None and not self.environ.get("VALL_E_STRICT_PLUGINS"):
            folders = folders_with_commands() if self.load_plugins else []
            if folders is not None:
                return self._found_in(folders) if folders else None
        return self.registry

    def _found_in(self, folders: Sequence[Path]) -> Registry:
        from importlib.metadata import Distribution

        from vall_e.discovery import discover

        # Misspelled names in a list of plugins are reported by the commands that load them all.
        return discover([Distribution.at(folder) for folder in folders], environ=self.environ)


class CommandGroup(click.Group):
    """Imports a command when it is called, and turns errors into exit codes in one place."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *_offered_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name][0].partition(":")
            command: click.Command = getattr(import_module(module), name)
            return command
        return _plugin_command(ctx.ensure_object(App).registry, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        ours = {name: summary for name, (_, summary) in COMMANDS.items()}
        with formatter.section("Commands"):
            formatter.write_dl([*ours.items()])
        plugins = _offered_commands(ctx)
        if plugins:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(list(plugins.items()))

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as exc:
            exc.show()
            code = exc.exit_code
        except VallEError as exc:
            hint = f"\nHint: {exc.hint}" if exc.hint else ""
            click.echo(in_options(f"Error: {exc.message}{hint}"), err=True)
            code = exc.exit_code
        except click.Abort as exc:
            click.echo("Aborted!", err=True)
            code = INTERRUPTED if isinstance(exc.__cause__, KeyboardInterrupt) else 1
        except OSError as exc:
            code = _say_refused(exc)
        except Exception:  # noqa: BLE001  a bug keeps its traceback, and has a code of its own
            code = _say_bug()
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> None:
        # A command's return value is dropped, so that `main` only sees exit codes.
        super().invoke(ctx)


def _say_refused(exc: OSError) -> int:
    """Report an error of the operating system that is not a bug and that no command handles."""
    if exc.errno not in REFUSALS:
        return _say_bug()
    what = f"{exc.filename}: " if exc.filename else ""
    click.echo(f"Error: {what}{exc.strerror}\nHint: {REFUSALS[exc.errno]}", err=True)
    return VallEError.exit_code


def _say_bug() -> int:
    import traceback

    click.echo(traceback.format_exc(), err=True, nl=False)
    click.echo("This is a bug in vall-e or in a plugin (try --no-plugins).", err=True)
    return BUG


def _leave_plugins_out(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(App).load_plugins = False


def _only_commercial(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        app = ctx.ensure_object(App)
        app.environ = {**app.environ, "VALL_E_COMMERCIAL": "1"}


def _stay_offline(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    """Set the variable that the hub's own clients and worker processes obey."""
    if not value:
        return
    before = os.environ.get(OFFLINE)
    os.environ[OFFLINE] = "1"

    def restore() -> None:
        os.environ.pop(OFFLINE)
        if before is not None:
            os.environ[OFFLINE] = before

    ctx.call_on_close(restore)


@click.group(cls=CommandGroup, invoke_without_command=True, no_args_is_help=True)
@click.option(
    "--no-plugins",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_leave_plugins_out,
    help="Built-in components only.",
)
@click.option(
    "--commercial",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_only_commercial,
    help="Refuse code and weights without a licence for commercial use.",
)
@click.option(
    "--offline",
    is_flag=True,
    expose_value=False,
    callback=_stay_offline,
    help="Download nothing, whatever a config allows.",
)
@click.option("-v", "--verbose", count=True, help="Print more on stderr; -vv prints everything.")
@click.option("--version", is_flag=True, help="Show the version (with -v: also of plugins).")
@click.pass_context
def cli(ctx: click.Context, verbose: int, version: bool) -> None:
    """Zero-shot text-to-speech with neural codec language models.

    To start: vall-e synth "Hello there." -o hello.wav
    """
    app = ctx.ensure_object(App)
    _log_to(app, verbose, ctx)
    if version:
        _show_version(app, verbose)
        ctx.exit()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _offered_commands(ctx: click.Context) -> dict[str, str]:
    """Name and summary. A plugin cannot take the name of a built-in command."""
    registry = ctx.ensure_object(App).commands
    if registry is None:
        return {}
    summaries: dict[str, str] = {}
    for offer in registry.offers_of("command"):
        if not offer.built_in:  # built-in ones are in the table, or subcommands of one in it
            name = registry.spelling(offer)
            summaries[offer.qualified if name in COMMANDS else name] = offer.component.summary
    return dict(sorted(summaries.items()))


def _plugin_command(registry: Registry, name: str) -> click.Command:
    from vall_e.registry import Preset

    name = Preset(name)  # built-in names are reserved
    if not registry.find("command", name):
        raise click.UsageError(f"No such command {name!r}.{_advice(registry, name)}")
    component = registry.get("command", name)
    command = component.build(component.config())
    if not isinstance(command, click.Command):
        raise PluginError(
            f"the plugin command {name!r} is not a click.Command: {command!r}",
            hint="report this to the plugin's authors: `build` must return a click.Command",
        )
    return command


def _advice(registry: Registry, name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, [*COMMANDS, *registry.names("command")], n=1)
    if near:
        return f"\nHint: did you mean {near[0]!r}?"
    if registry.broken:
        broken = "; ".join(f"{plugin}: {reason}" for plugin, reason in registry.broken.items())
        return f"\nHint: if the command is from one of these broken plugins, repair it: {broken}"
    return "\nHint: run `vall-e --help` for the list of commands"


def _show_version(app: App, verbose: int) -> None:
    from importlib import metadata

    from vall_e.hookspecs import HOOK_API

    api = ".".join(map(str, HOOK_API))
    click.echo(f"vall-e {metadata.version('vall-e')}, hook API {api}")
    if verbose:
        click.echo(f"python {sys.version.split()[0]}, torch {metadata.version('torch')}")
        others = (p for p in app.registry.plugins if p.distribution != "vall-e")
        for name in sorted({f"{plugin.distribution} {plugin.version}" for plugin in others}):
            click.echo(name)


def _log_to(app: App, verbose: int, ctx: click.Context) -> None:
    """Send log records to stderr while the command runs."""
    import logging

    from vall_e.cli.terminal.logging import LogLines

    root = logging.getLogger()
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    handler = LogLines(lambda: app.console, level, places=verbose > 1)
    before = root.level
    root.addHandler(handler)
    root.setLevel(min(level, before) if before else level)
    ctx.call_on_close(lambda: root.removeHandler(handler))
    ctx.call_on_close(lambda: root.setLevel(before))
