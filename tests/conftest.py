import os
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from attrs import frozen
from click.testing import CliRunner
from hypothesis import settings

from vall_e.cli.app import App, cli
from vall_e.discovery import discover
from vall_e.registry import HOOKS, Registry

# Several pytest workers with several torch threads each stand in a jam. Torch is not loaded yet.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A busy machine is no failure.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Everything that is installed: the built-in components, as a user has them."""
    return discover()


@pytest.fixture
def typed(registry, tmp_path, monkeypatch):
    """Run the `vall-e` lines of a page in an empty folder; gives what they told a reader.

    All in this process: a process for each would spend most of its time on importing torch.
    """
    monkeypatch.chdir(tmp_path)

    def run(script: str, **environ: str) -> str:
        told = []
        for line in filter(None, script.splitlines()):
            name, *words = shlex.split(line, comments=True)
            assert name == "vall-e", line
            app = App(environ={**os.environ, **environ}, registry=registry)
            result = CliRunner().invoke(cli, words, obj=app, prog_name=name)
            assert result.exit_code == 0, f"{line}\n{result.output}"
            told.append(result.output)
        return "".join(told)

    return run


@frozen
class Site:
    """A folder of real, small distributions, as pip would have left them."""

    folder: Path

    def install(
        self, distribution: str, source: str, *, entry_point: str = "demo", version: str = "1.0"
    ) -> None:
        """Put a module and its metadata there; a second call adds an entry point."""
        module = f"{distribution}_{entry_point}".replace("-", "_")
        (self.folder / f"{module}.py").write_text(source)
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        points = info / "entry_points.txt"
        before = points.read_text() if points.exists() else "[vall_e]\n"
        points.write_text(f"{before}{entry_point} = {module}\n")

    def discover(self, **options) -> Registry:
        """Find what is in this folder alone."""
        return discover(metadata.distributions(path=[str(self.folder)]), **options)

    def run(self, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run Python with this folder on its path."""
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("VALL_E")},
            "PYTHONPATH": str(self.folder),
            **environ,
        }
        return subprocess.run(
            [sys.executable, *args], env=env, capture_output=True, text=True, check=False
        )

    def vall_e(self, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return self.run("-P", "-m", "vall_e", *args, **environ)

    @staticmethod
    def is_slow(doctor: subprocess.CompletedProcess[str]) -> bool:
        """Whether it says that plugins take long to be found, as all do on a busy machine."""
        return doctor.returncode == 4 and " s to load: import heavy" in doctor.stdout


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    yield Site(folder)
    for path in folder.glob("*.py"):
        sys.modules.pop(path.stem, None)


PLUGIN = """
from attrs import frozen
from vall_e.plugin import Component, hookimpl

@frozen
class Config:
    size: int = 3
    '''How big it is.'''

@hookimpl
def {hook}():
    return [Component("{name}", Config, lambda config: config.size, "a test", {more})]
"""


@pytest.fixture(scope="session")
def plugin_source():
    """Write the module of a plugin that offers one component."""

    def write(name: str, kind: str = "sampler", more: str = "") -> str:
        return PLUGIN.format(name=name, hook=HOOKS[kind], more=more)

    return write
