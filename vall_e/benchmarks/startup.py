"""Startup time of `vall-e` in fresh processes: without plugins, as installed, with many plugins.

Python alone and with click are measured too, as the lower limit. Torch-free.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

from attrs import frozen

from vall_e.authoring.new_plugin import NewPlugin
from vall_e.errors import UnavailableError

PLUGINS = 100
"""Generated plugins, each a sampler as `vall-e plugins new` writes it."""

ANSWER = "from vall_e.cli.app import cli; cli({!r}, prog_name='vall-e')"
"""The code of the script `vall-e`."""

UNCOMPILED = "PYTHONDONTWRITEBYTECODE"
"""If set, code that is not compiled yet would be compiled in each process."""


@frozen
class StartupTime:
    """Seconds from the start of a process to its end."""

    what: str
    least: float
    median: float
    ratio: float
    """The shortest time, divided by that of Python alone."""


@frozen
class _Contestant:
    what: str
    code: str
    environ: Mapping[str, str]

    def seconds(self) -> float:
        began = perf_counter()
        done = subprocess.run(  # noqa: S603  our own
            [sys.executable, "-P", "-c", self.code],
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise UnavailableError(
                f"{self.what} cannot be measured: {lines[-1]}",
                hint="run that command by itself to see the error",
            )
        return perf_counter() - began


def measure(
    environ: Mapping[str, str], *, repeats: int, plugins: int = PLUGINS
) -> list[StartupTime]:
    """One row per command, run in turns, so that a busy moment of the machine affects them all.

    Raises `UnavailableError` with the output of a process that failed.
    """
    with tempfile.TemporaryDirectory(prefix="vall-e-") as folder:
        for number in range(plugins):
            install(NewPlugin("sampler", f"generated-{number}"), Path(folder))
        contestants = _contestants(environ, folder, plugins)
        times = [[each.seconds() for each in contestants] for _ in range(repeats)]
    columns = list(zip(*times, strict=True))
    return [
        StartupTime(
            each.what, min(column), statistics.median(column), min(column) / min(columns[0])
        )
        for each, column in zip(contestants, columns, strict=True)
    ]


def install(plugin: NewPlugin, folder: Path) -> None:
    """Put its packages and metadata into a folder on the path, as pip would."""
    for name, text in plugin.files:
        path = Path(name)
        if path.parts[0] == "src":
            made = folder.joinpath(*path.parts[1:])
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_text(text, encoding="utf-8")
    info = folder / f"{plugin.package}-0.1.0.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: {plugin.distribution}\nVersion: 0.1.0\n"
    (info / "METADATA").write_text(head, encoding="utf-8")
    point = f"[vall_e]\n{plugin.name} = {plugin.package}.components\n"
    (info / "entry_points.txt").write_text(point, encoding="utf-8")


def _contestants(environ: Mapping[str, str], folder: str, plugins: int) -> list[_Contestant]:
    here = {**os.environ, **environ}
    for name in [name for name in here if name.startswith("VALL_E")] + [UNCOMPILED]:
        here.pop(name, None)
    path = [folder, here["PYTHONPATH"]] if here.get("PYTHONPATH") else [folder]
    many = {**here, "PYTHONPATH": os.pathsep.join(path)}
    more = f"with {plugins} more plugins"
    answer = ANSWER.format
    return [
        _Contestant("python -c pass", "pass", here),
        _Contestant("python -c 'import click'", "import click", here),
        _Contestant("vall-e --no-plugins --help", answer(["--no-plugins", "--help"]), here),
        _Contestant("vall-e --help", answer(["--help"]), here),
        _Contestant(f"vall-e --help, {more}", answer(["--help"]), many),
        _Contestant("vall-e plugins list", answer(["plugins", "list"]), here),
        _Contestant(f"vall-e plugins list, {more}", answer(["plugins", "list"]), many),
    ]
