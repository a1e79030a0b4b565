import json

import pytest
from attrs import field, frozen
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.cli.plugins.attention_support import availability
from vall_e.cli.plugins.load_time import measure
from vall_e.discovery import registry_of
from vall_e.hookspecs import hookimpl
from vall_e.registry import Component


@frozen
class PeakConfig:
    p: float = field()
    """Nucleus size."""
    window: int = 10
    """Frames of history
    to look at."""


@frozen
class KernelConfig:
    """Nothing to choose."""


class Kernel:
    name = "fast"

    def unsupported(self, case):
        return "it needs four GPUs"


class Plugin:
    __name__ = "peak-plugin"

    @hookimpl
    def vall_e_register_samplers(self):
        return [
            Component(
                "peak",
                PeakConfig,
                lambda config: config,
                "keeps the peak",
                paper="https://example.org/peak",
                weights_license="CC0-1.0",
            )
        ]

    @hookimpl
    def vall_e_register_attentions(self):
        return [Component("fast", KernelConfig, lambda config: Kernel(), "is fast")]


def run(*args):
    app = App(registry=registry_of([Plugin()]))
    return CliRunner().invoke(cli, ["plugins", *args], obj=app)


def test_the_list_groups_by_kind_and_names_the_owner():
    assert run("list").stdout == (
        "attention\n"
        "  fast  Apache-2.0                     is fast  [peak-plugin]\n"
        "sampler\n"
        "  peak  Apache-2.0 (weights: CC0-1.0)  keeps the peak  [peak-plugin]\n"
    )


def test_the_list_can_be_limited_to_a_kind():
    assert (
        run("list", "--kind", "attention").stdout
        == "attention\n  fast  Apache-2.0  is fast  [peak-plugin]\n"
    )


def test_an_unknown_kind_is_a_wrong_command_line():
    assert run("list", "--kind", "vocoder").exit_code == 2


def test_the_list_for_programs_holds_everything():
    found = json.loads(run("list", "--json", "--kind", "sampler").stdout)
    assert found["plugins"] == []
    assert found["components"] == [
        {
            "kind": "sampler",
            "name": "peak",
            "aliases": [],
            "distribution": "peak-plugin",
            "version": "0",
            "entry_point": "peak-plugin",
            "summary": "keeps the peak",
            "paper": "https://example.org/peak",
            "api": [1, 0],
            "code_license": "Apache-2.0",
            "weights_license": "CC0-1.0",
        }
    ]


def test_info_shows_options_with_defaults_and_their_meaning():
    assert run("info", "peak").stdout == (
        "sampler peak: keeps the peak\n"
        "  from      peak-plugin 0 (peak-plugin)\n"
        "  paper     https://example.org/peak\n"
        "  licence   Apache-2.0 (weights: CC0-1.0)\n"
        "  options\n"
        "    p (required): Nucleus size.\n"
        "    window (default 10): Frames of history to look at.\n"
    )


def test_info_says_why_a_kernel_cannot_run_here():
    assert "  here      no: it needs four GPUs\n" in run("info", "fast").stdout


def test_info_knows_every_built_in_component(registry):
    for offer in registry.offers:
        if offer.kind != "attention":  # these import torch: one is enough, below
            result = CliRunner().invoke(
                cli, ["plugins", "info", offer.component.name], obj=App(registry=registry)
            )
            assert result.exit_code == 0, result.output
            assert offer.component.summary in result.stdout


def test_info_says_what_a_wrapper_is_for(registry):
    app = App(registry=registry)
    told = CliRunner().invoke(cli, ["plugins", "info", "int8"], obj=app).stdout
    assert "  for       speaking (synthesis.wrappers)\n" in told
    told = CliRunner().invoke(cli, ["plugins", "info", "lora", "--json"], obj=app).stdout
    assert json.loads(told)["components"][0]["used_in"] == "training"


def test_info_says_that_the_plain_kernel_runs_here(registry):
    result = CliRunner().invoke(cli, ["plugins", "info", "eager"], obj=App(registry=registry))
    assert "  here      yes, on c" in result.stdout


def test_info_of_attention_says_of_each_kernel_whether_it_runs_here(registry):
    runner, app = CliRunner(), App(registry=registry)
    result = runner.invoke(cli, ["plugins", "info", "attention"], obj=app)
    assert result.exit_code == 0, result.output
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert lines.keys() == {o.component.name for o in registry.offers if o.kind == "attention"}
    assert lines["eager"].startswith("yes, on c")
    assert ": uses " in lines["auto"]
    for told in lines.values():
        assert told.startswith("yes, on ") or len(told.removeprefix("no: ")) > 10
    told = json.loads(
        runner.invoke(cli, ["plugins", "info", "attention", "--json"], obj=app).stdout
    )
    assert {row["name"]: row["here"] for row in told["attention"]} == lines


def test_info_says_what_a_kernel_that_runs_here_cannot_do():
    class Plain(Kernel):
        def unsupported(self, case):
            return "no" if (case.masked and not case.padding) or case.dropout else None

    plain = Component("plain", KernelConfig, lambda config: Plain(), "is plain")
    assert availability(plain).endswith(", without dropout, other masks")


def test_info_of_an_unknown_name_says_where_names_are():
    result = run("info", "valley")
    assert result.exit_code == 4
    assert "there is no component or distribution called 'valley'" in result.stderr
    assert "vall-e plugins list" in result.stderr


@pytest.fixture
def clinic(site, plugin_source):
    """One of each kind of trouble, and a plugin that is well."""
    fake = site.folder / "torch"
    fake.mkdir()
    (fake / "__init__.py").touch()  # the real one takes seconds
    site.install("a-broken", "import mamba_ssm")
    site.install("b-newer", plugin_source("newer", more="api=(9, 9)"))
    site.install("c-heavy", "import torch\n" + plugin_source("heavy"))
    site.install("d-slow", "import time; time.sleep(0.6)\n" + plugin_source("slow"))
    site.install("e-twin", plugin_source("same"))
    site.install("f-twin", plugin_source("same"))
    site.install("g-fine", plugin_source("fine"))
    return site


PATIENTS = "a-broken,b-newer,c-heavy,d-slow,e-twin,f-twin,g-fine"
"""Each of the others that are installed here would cost a process."""


@pytest.mark.slow
def test_doctor_finds_each_trouble(clinic):
    done = clinic.vall_e("plugins", "doctor", VALL_E_STRICT_PLUGINS="1", VALL_E_PLUGINS=PATIENTS)
    assert done.returncode == 4
    told = {line.split()[1]: line for line in done.stdout.splitlines() if "twin" not in line}
    assert "failed" in told["a-broken"]
    assert "ModuleNotFoundError: No module named 'mamba_ssm'" in told["a-broken"]
    assert "incompatible" in told["b-newer"]
    assert "needs hook API 9.9" in told["b-newer"]
    assert "imports torch when it is loaded: move that import into `build`" in told["c-heavy"]
    assert "to load: import heavy packages in `build`" in told["d-slow"]
    assert told["g-fine"].startswith("ok")
    assert ": 1 components, " in told["g-fine"]
    assert "two plugins offer the sampler 'same': e-twin 1.0 (demo) and f-twin" in done.stdout


@pytest.mark.slow
def test_doctor_speaks_to_programs(clinic):
    only = "a-broken,c-heavy,g-fine"
    done = clinic.vall_e("plugins", "doctor", "--json", VALL_E_PLUGINS=only)
    found = json.loads(done.stdout)
    checkups = {entry["plugin"]["distribution"]: entry for entry in found["plugins"]}
    assert checkups["a-broken"]["plugin"]["status"] == "failed"
    assert checkups["c-heavy"]["imports_torch"] is True
    assert checkups["g-fine"]["imports_torch"] is False
    assert checkups["g-fine"]["plugin"]["components"] == ["sampler:fine"]
    assert checkups["e-twin"]["plugin"]["status"] == "disabled"
    assert found["conflicts"] == []


@pytest.mark.slow
def test_everything_that_is_built_in_is_well(site):
    done = site.vall_e("--no-plugins", "plugins", "doctor")
    assert (done.returncode, done.stderr) == (0, "") or site.is_slow(done)
    assert "torch" not in done.stdout


def test_info_of_a_distribution_says_why_it_is_broken(site):
    site.install("a-broken", "import mamba_ssm")
    done = site.vall_e("plugins", "info", "A_Broken")
    assert done.returncode == 4
    assert "a-broken 1.0 (demo): failed, a_broken_demo\n" in done.stdout
    assert "  ModuleNotFoundError: No module named 'mamba_ssm'\n" in done.stdout


def test_info_of_a_component_of_a_broken_plugin_says_why(site):
    site.install("vall-e-backbone-mamba", "import mamba_ssm")
    result = CliRunner().invoke(
        cli, ["plugins", "info", "mamba"], obj=App(registry=site.discover())
    )
    assert result.exit_code == 4
    assert "which may offer it, is failed: ModuleNotFoundError: No module named" in result.stderr


def test_info_of_a_misspelt_name_says_the_nearest():
    assert "did you mean 'peak'?" in run("info", "peek").stderr


def test_info_speaks_to_programs():
    found = json.loads(run("info", "peak", "--json").stdout)
    [component] = found["components"]
    assert component["name"] == "peak"
    assert component["options"] == [
        {"name": "p", "required": True, "default": None, "meaning": "Nucleus size."},
        {
            "name": "window",
            "required": False,
            "default": 10,
            "meaning": "Frames of history to look at.",
        },
    ]


SICK = {
    "writes": ("import os; os.write(1, b'hello')", ""),
    "prints-late": ("import atexit; atexit.register(print, 'bye')", ""),
    "dies": (
        "import os, sys\n'vall_e.cli.plugins.load_time' in sys.orig_argv and os._exit(3)",
        "exit code 3",
    ),
    "hangs": (
        "import sys, time\n'vall_e.cli.plugins.load_time' in sys.orig_argv and time.sleep(60)",
        "takes more than 1 s",
    ),
}


@pytest.mark.parametrize("name", SICK)
def test_a_probe_survives_its_plugin(site, plugin_source, monkeypatch, name):
    source, complaint = SICK[name]
    site.install(name, source + "\n" + plugin_source("fine"))
    monkeypatch.setenv("PYTHONPATH", str(site.folder))
    [record] = site.discover().plugins
    cost = measure(record, patience=1 if name == "hangs" else 60)
    assert complaint in cost.complaint
    assert bool(complaint) == bool(cost.complaint)


@pytest.mark.slow
def test_doctor_fails_for_torch_and_for_a_default_that_cannot_be_written(site, plugin_source):
    fake = site.folder / "torch"
    fake.mkdir()
    (fake / "__init__.py").touch()
    site.install("c-heavy", "import torch\n" + plugin_source("heavy"))
    site.install("d-wrong", plugin_source("wrong").replace("int = 3", "int = 'three'"))
    heavy = site.vall_e("plugins", "doctor", VALL_E_PLUGINS="c-heavy")
    wrong = site.vall_e("plugins", "doctor", VALL_E_PLUGINS="d-wrong")
    assert (heavy.returncode, wrong.returncode) == (4, 4)
    assert "imports torch when it is loaded" in heavy.stdout
    told = "the default of wrong.size is wrong: expected a whole number, got 'three'"
    assert told in wrong.stdout


def test_the_list_works_beside_a_broken_plugin_and_points_to_the_doctor(site, plugin_source):
    site.install("a-broken", "import mamba_ssm")
    site.install("b-fine", plugin_source("fine"))
    done = site.vall_e("plugins", "list")
    assert done.returncode == 0
    assert "fine" in done.stdout
    assert "not loaded: run `vall-e plugins doctor`" in done.stderr


def test_a_strict_list_fails(site):
    site.install("a-broken", "import mamba_ssm")
    done = site.vall_e("plugins", "list", VALL_E_STRICT_PLUGINS="1")
    assert done.returncode == 4
    assert "a-broken 1.0 (demo): ModuleNotFoundError" in done.stderr
