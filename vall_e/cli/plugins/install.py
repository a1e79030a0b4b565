"""`vall-e plugins install` and `uninstall`: pip, for the Python that runs vall-e.

No plugins are loaded here: these commands must work when every plugin is broken.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec

import click

from vall_e.discovery import installed
from vall_e.errors import PluginError, UnavailableError
from vall_e.registry import CORE, normal


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("what", nargs=-1, required=True, type=click.UNPROCESSED)
def install(what: Sequence[str]) -> None:
    """Install plugins: all arguments are passed to `pip install`.

    vall-e plugins install vall-e-backbone-gru; -U: update; -e FOLDER: a plugin under development.
    """
    _pip("install", *what)


@click.command()
@click.argument("names", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
def uninstall(names: Sequence[str], yes: bool) -> None:
    """Uninstall the plugins of these distributions, even if they are broken."""
    plugins = {normal(point.distribution) for point in installed()} - {CORE}
    for name in names:
        if normal(name) not in plugins:
            raise PluginError(
                f"{name!r} is not an installed plugin",
                hint=f"installed: {', '.join(sorted(plugins)) or 'none'}",
            )
    _pip("uninstall", *(["--yes"] if yes else []), *names)


def _pip(*arguments: str) -> None:
    """Run pip and exit with its exit code."""
    if find_spec("pip") is None:
        raise UnavailableError(
            f"there is no pip in {sys.prefix}",
            hint=f"run `{sys.executable} -m ensurepip`, or use your own installer: "
            f"uv pip {' '.join(arguments)}",
        )
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, check=False)  # noqa: S603  our own
    click.get_current_context().exit(done.returncode)
