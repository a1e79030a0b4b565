"""`vall-e plugins new` writes plugins that work as they are."""

import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hatchling.build import build_wheel

from vall_e.authoring.new_plugin import KINDS, NewPlugin
from vall_e.cli.app import App, cli
from vall_e.registry import HOOKS

PIP = ["-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
SHORT = {"VALL_E__SYNTHESIS__MAX_SECONDS": "1"}
"""How long a reader waits is not in the commands: it comes by the environment."""


def run(*args):
    return CliRunner().invoke(cli, ["plugins", "new", *args], obj=App())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A plugin of every kind."""
    folder = tmp_path_factory.mktemp("plugins")
    for kind in KINDS:
        NewPlugin(kind, f"my-{kind}").write(folder)
    return folder


def test_a_plugin_of_every_kind_is_offered(folder, site):
    for kind in KINDS:
        [source] = folder.glob(f"vall-e-{kind}-my-{kind}/src")
        package = NewPlugin(kind, f"my-{kind}").package
        point = f"from {package}.components import *\n"
        site.install(
            f"vall-e-{kind}-my-{kind}", f"import sys\nsys.path.append({str(source)!r})\n{point}"
        )
    found = site.run(
        "-c",
        "import sys; from vall_e.discovery import discover; r = discover();"
        "print([p for p in r.plugins if p.troubled], 'torch' in sys.modules);"
        "print(*sorted(k + ':' + n for k in {o.kind for o in r.offers} for n in r.names(k)))",
    )
    first, names = found.stdout.splitlines()
    assert first == "[] False"
    assert {f"{kind}:my-{kind}" for kind in KINDS} <= set(names.split())


@pytest.mark.slow
def test_what_is_written_is_clean(folder):
    for part in sorted(folder.iterdir()):
        for words in (["check"], ["format", "--diff"]):
            done = subprocess.run(
                [sys.executable, "-m", "ruff", *words, "-q", "--no-cache", "."],
                cwd=part,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout


def test_no_word_of_a_template_is_left():
    left = re.compile(r"plugin[-_](name|kind|distribution|package|hook|use|licence)|PluginName")
    for kind in KINDS:
        for path, text in NewPlugin(kind, "other-thing").files:
            assert not left.search(path + text), path


def test_the_licence_is_the_authors_choice(tmp_path):
    result = run("sampler", "hush", "--licence", "MIT", "--folder", str(tmp_path))
    assert result.exit_code == 0, result.output
    made = Path(result.stdout.strip())
    assert 'license = "MIT"' in (made / "pyproject.toml").read_text()
    assert "The authors of vall-e-sampler-hush" in (made / "LICENSE").read_text()
    assert 'code_license="MIT"' in next(made.glob("src/*/components.py")).read_text()


def test_licences_that_are_usual_are_there_in_full_and_others_are_named():
    ours = (Path(__file__).parents[2] / "LICENSE").read_text()
    own = ours.replace("VALL-E (this repository)", "vall-e-sampler-hush")
    assert dict(NewPlugin("sampler", "hush").files)["LICENSE"] == own != ours
    other = dict(NewPlugin("sampler", "hush", "mpl-2.0").files)["LICENSE"]
    assert "SPDX-License-Identifier: MPL-2.0\n" in other


def test_a_licence_that_no_wheel_could_have_is_refused(tmp_path):
    result = run("sampler", "hush", "--licence", "Foo Bar", "--folder", str(tmp_path))
    assert (result.exit_code, list(tmp_path.iterdir())) == (4, [])
    assert "'Foo Bar' is not a valid SPDX expression" in result.stderr
    assert "LicenseRef-Name" in result.stderr


def test_a_name_that_is_taken_is_refused(tmp_path):
    result = run("sampler", "top-p", "--folder", str(tmp_path))
    assert (result.exit_code, list(tmp_path.iterdir())) == (4, [])
    assert "vall-e already offers the sampler 'top-p'\nHint: choose another name" in result.stderr


@pytest.mark.parametrize(("kind", "said"), [("optimizer", "an optimizer"), ("codec", "a codec")])
def test_a_kind_has_the_article_that_it_needs(kind, said):
    text = dict(NewPlugin(kind, "shiny").files)["pyproject.toml"]
    assert f'description = "shiny: {said} for VALL-E"' in text


@pytest.mark.parametrize("name", ["Hush", "hush_hush", "-x", "x-", "2x"])
def test_a_name_that_yaml_could_not_say_is_refused(tmp_path, name):
    result = run("sampler", "--folder", str(tmp_path), "--", name)
    assert (result.exit_code, list(tmp_path.iterdir())) == (4, [])
    assert f"{name!r} is not a valid name for a component" in result.stderr


def test_a_name_that_no_file_could_have_is_refused(tmp_path):
    result = run("sampler", "x" * 300, "--folder", str(tmp_path))
    assert (result.exit_code, list(tmp_path.iterdir())) == (4, [])
    assert "'xxxxxxxxxxxxxxxxxxxx'... is too long for a name" in result.stderr


@pytest.mark.parametrize("name", ["class", "none", "components", "options"])
def test_a_name_that_python_could_not_import_is_refused(tmp_path, name):
    result = run("sampler", name, "--folder", str(tmp_path))
    assert (result.exit_code, list(tmp_path.iterdir())) == (4, [])
    assert f"use my-{name}" in result.stderr


def test_nothing_is_overwritten(tmp_path):
    first, again = (run("sampler", "hush", "--folder", str(tmp_path)) for _ in range(2))
    assert (first.exit_code, again.exit_code) == (0, 4)
    assert "exists" in again.stderr


TWO = """
from attrs import evolve
from vall_e.plugin import hookimpl

[FIRST] = vall_e_register_samplers()

@hookimpl
def vall_e_register_samplers():
    return [FIRST, evolve(FIRST, name="second")]

@hookimpl
def vall_e_register_schedules():
    from vall_e.training.schedules.components import SCHEDULES
    return SCHEDULES[:1]
"""


@pytest.mark.slow
def test_the_test_of_a_plugin_covers_components_that_are_added(tmp_path, site):
    plugin = NewPlugin("sampler", "hush").write(tmp_path)
    [components] = plugin.glob("src/*/components.py")
    components.write_text(components.read_text() + TWO)
    done = site.run(
        *("-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", str(plugin / "tests")),
        PYTHONPATH=str(plugin / "src"),
    )
    tested = set(re.findall(r"::(Test\w+)::", done.stdout))
    assert tested == {"TestSamplerHush", "TestSamplerSecond", "TestScheduleConstant"}, done.stdout


@pytest.mark.slow
def test_a_plugin_of_every_kind_installs_and_keeps_every_law(folder, site, tmp_path, monkeypatch):
    """Of the wheels that pip would build and unpack: pip itself has the test of the tutorial."""
    parts = sorted(map(str, folder.iterdir()))
    for part in parts:
        monkeypatch.chdir(part)
        with zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path))) as wheel:
            wheel.extractall(site.folder)
    tested = site.run(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib",
        "-c", str(Path(parts[0]) / "pyproject.toml"), "--rootdir", str(folder), *parts,
    )  # fmt: skip
    assert tested.returncode == 0, tested.stdout
    assert "failed" not in tested.stdout
    assert site.vall_e("my-command", "--name", "Ann").stdout == "hello, Ann\n"
    wav = tmp_path / "hello.wav"
    options = ["-m", "my-model", "--set", "sampling.ar=[my-sampler, categorical]", "--seed", "1"]
    spoken = site.vall_e("synth", "Hello.", "-o", str(wav), *options, **SHORT)
    assert spoken.returncode == 0, spoken.stderr
    assert wav.stat().st_size > 10_000


def _tutorial():
    section = PAGE.split("## From an empty folder to PyPI")[1].split("\n## ")[0]
    lines = [line for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
             for line in block.splitlines()]  # fmt: skip
    return [shlex.split(line, comments=True) for line in lines if line]


@pytest.mark.slow
def test_the_tutorial_does_what_it_says(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # The doctor starts a process for each plugin; those of others have tests of their own.
    environ = {"VALL_E_PLUGINS": "vall-e-sampler-hush", **SHORT}
    ran = []
    for words in _tutorial():
        match words:
            case ["twine", *_] | ["pip", "install", "hatchling", *_]:
                continue  # these need the network
            case ["vall-e", "plugins", "install", "-e", folder]:
                done = site.run(*PIP, "--target", str(site.folder), folder)
            case ["vall-e", *rest]:
                done = site.vall_e(*rest, **(environ if ran else SHORT))
            case ["cd", folder]:
                monkeypatch.chdir(folder)
                continue
            case ["pytest"]:
                done = site.run("-m", "pytest", "-q", "-p", "no:cacheprovider")
            case ["python", *rest]:
                done = site.run(*rest)
        assert done.returncode == 0 or site.is_slow(done), (words, done.stdout, done.stderr)
        ran.append(words[0])
    assert ran.count("vall-e") >= 4
    assert [path.suffix for path in Path("dist").glob("*.whl")] == [".whl"]
    assert Path("hello.wav").stat().st_size > 10_000


def test_every_kind_has_a_template():
    assert tuple(HOOKS) == KINDS
