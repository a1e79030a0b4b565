import zipfile

import pytest
from click.testing import CliRunner

from vall_e.benchmarks.startup import measure
from vall_e.cli.app import COMMANDS, App, cli
from vall_e.cli.plugin_commands import folders_with_commands


def found(site):
    return [folder.name.partition("-")[0] for folder in folders_with_commands([str(site.folder)])]


def test_help_imports_no_plugin_that_has_no_command(site, plugin_source):
    for number in range(3):
        site.install(f"plugin-{number}", "raise SystemExit(vall_e_register_samplers)")
    site.install("singer", plugin_source("hum", kind="command"))
    told = site.vall_e("-v", "--help").stdout
    assert told.partition("Commands of plugins:")[2].split() == ["hum", "a", "test"]


@pytest.mark.parametrize(
    ("source", "may_offer"),
    [
        ("def vall_e_register_samplers(): ...", False),
        ("from elsewhere import vall_e_register_commands", True),
        ("from elsewhere import *", True),
        ("class Plugin: ...", True),
    ],
)
def test_a_plugin_that_may_offer_commands_is_found(site, source, may_offer):
    site.install("plugin", source)
    assert bool(found(site)) == may_offer


def test_a_module_in_a_package_is_read_without_importing_the_package(site):
    for name, hook in (("quiet", "samplers"), ("loud", "commands")):
        site.install(name, "")
        package = site.folder / f"{name}_package" / "inner"
        package.mkdir(parents=True)
        for place in (package.parent, package):
            (place / "__init__.py").write_text("1 / 0")
        (package / "components.py").write_text(f"def vall_e_register_{hook}(): ...")
        points = site.folder / f"{name}-1.0.dist-info" / "entry_points.txt"
        points.write_text(
            f"[console_scripts]\nx = y:z\n\n[vall_e]\n# ours\n"
            f"demo = {name}_package.inner.components:plugin [extra]\n[other]\na = nowhere\n"
        )
    assert found(site) == ["loud"]


def test_a_plugin_that_is_not_where_it_says_is_left_to_who_loads_it(site):
    site.install("plugin", "")
    (site.folder / "plugin_demo.py").unlink()
    assert found(site) == ["plugin"]


def test_the_first_of_two_versions_hides_the_other(site, plugin_source):
    site.install("plugin", "def vall_e_register_samplers(): ...", version="1.0")
    later = site.folder / "later"
    later.mkdir()
    other = type(site)(later)
    other.install("plugin", plugin_source("hum", kind="command"), version="2.0")
    assert folders_with_commands([str(site.folder), str(later)]) == []


def test_of_what_is_in_an_archive_only_loading_can_tell(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("one.py", "")
    assert folders_with_commands([str(tmp_path / "all.zip")]) is None


def test_every_command_of_ours_is_in_the_table(registry):
    ours = [o.component.name for o in registry.offers_of("command") if o.built_in]
    assert set(ours) <= COMMANDS.keys()


@pytest.mark.slow
def test_start_up_is_measured_beside_python_alone():
    alone, *rows = measure({}, repeats=1, plugins=2)
    assert (alone.what, alone.ratio) == ("python -c pass", 1)
    assert any(row.what == "vall-e --help, with 2 more plugins" for row in rows)
    for row in rows:
        assert row.median == row.least > 0


def test_what_start_up_does_not_heed_is_refused():
    result = CliRunner().invoke(cli, ["bench", "--startup", "--device", "cpu"], obj=App())
    assert result.exit_code == 2
    assert "--startup can only be used with --repeats and --json" in result.stderr
