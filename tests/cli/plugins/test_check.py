"""`vall-e plugins check`, `install`, `uninstall`, and licences."""

import json

import pytest
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.discovery import registry_of
from vall_e.embedded.options import EmbeddedModelConfig
from vall_e.errors import PluginError, UnavailableError
from vall_e.hookspecs import hookimpl
from vall_e.interfaces.trial import Trial
from vall_e.registry import Component
from vall_e.testing import contract_of
from vall_e.testing.contracts.any_component import CONTRACTS
from vall_e.testing.contracts.run import laws_of, try_law


class Plain:
    def __call__(self, history, logits):
        return logits


class Flat(Plain):
    """Forgets what the model said."""

    def __call__(self, history, logits):
        return logits * 0


REORDERS = {
    "test_never_draws_an_impossible_token": "nothing is impossible to it",
    "test_draws_the_only_possible_token": "it knows of none",
}


def absent(config):
    raise UnavailableError("there is no `nothing` here", hint="install it")


def plain(config):
    return Plain()


def flat(config):
    return Flat()


def component(build, **more):
    return Component("hush", EmbeddedModelConfig, build, "a test", **more)


def run(*args, **more):
    class Plugin:
        __name__ = "hush-plugin"

        @hookimpl
        def vall_e_register_samplers(self):
            return [component(**more)]

    return CliRunner().invoke(cli, ["plugins", *args], obj=App(registry=registry_of([Plugin()])))


def test_a_component_that_keeps_every_law_is_reported_law_by_law():
    result = run("check", "hush", build=plain)
    assert result.exit_code == 0, result.output
    first, *lines, last = result.stdout.splitlines()
    assert first == "sampler hush (hush-plugin 0)"
    assert "  holds     does not change its inputs" in lines
    skipped = [line for line in lines if line.startswith("  skipped")]
    assert last == f"  {len(lines) - 1} holds, {len(skipped)} skipped"  # how likely it draws what


def test_a_law_that_does_not_hold_is_reported_with_what_it_says():
    result = run("check", "hush", "--json", build=flat)
    [report] = json.loads(result.stdout)
    failed = {f["law"]: f["reason"] for f in report["findings"] if f["status"] == "fails"}
    assert result.exit_code == 4
    assert set(failed) >= {"test_never_draws_an_impossible_token"}
    assert all(failed.values())


def test_a_component_that_cannot_be_built_here_is_not_called_sound():
    result = run("check", "hush-plugin", build=absent)
    assert result.exit_code == 4
    *_, last = result.stdout.splitlines()
    assert last.startswith("  not tested here: ")
    assert "there is no `nothing` here" in last


def test_a_name_that_nobody_offers_is_reported():
    result = run("check", "hash", build=absent)
    assert (result.exit_code, "no component and no distribution called" in result.stderr) == (
        4,
        True,
    )


def test_exceptions_are_strict():
    law = "test_draws_the_only_possible_token"
    trial = Trial(exceptions={law: "it is not so"})
    sound = contract_of("sampler", component(plain, trial=trial))
    finding = try_law(sound, law)
    assert (finding.status, "remove it from the exceptions" in finding.reason) == ("fails", True)
    broken = contract_of("sampler", component(flat, trial=trial))
    finding = try_law(broken, law)
    assert (finding.status, finding.reason) == ("skipped", "it is not so")


@pytest.mark.parametrize(
    ("trial", "message"),
    [
        (Trial(exceptions={"test_keeps_the_shap": "x"}), "names 'test_keeps_the_shap', which its"),
        (Trial(facts={"reorder": True}), "names 'reorder', which its contract does not have"),
    ],
)
def test_a_trial_that_names_what_is_not_there_is_refused(trial, message):
    with pytest.raises(PluginError, match=message):
        contract_of("sampler", component(plain, trial=trial))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["exporter", "optimizer", "schedule", "store", "task", "wrapper"])
def test_whatever_is_installed_keeps_the_laws_of_its_kind(registry, kind):
    """Of these kinds no component has to be built apart, so none may be forgotten."""
    broken = []
    for offer in registry.offers_of(kind):
        if offer.component.name != "compile":  # it takes a compiler, and has a test of its own
            contract = contract_of(kind, offer.component)
            findings = [try_law(contract, law) for law in laws_of(CONTRACTS[kind])]
            broken += [(offer.qualified, f) for f in findings if f.status == "fails"]
    assert broken == []


@pytest.mark.slow
def test_checking_needs_no_pytest(site):
    (site.folder / "pytest.py").write_text("raise ModuleNotFoundError('pytest')")
    done = site.vall_e("--no-plugins", "plugins", "check", "math")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  holds     equals the plain formula" in done.stdout


def test_a_licence_that_forbids_earning_money_is_refused_where_that_is_asked(registry, tmp_path):
    environ = {"VALL_E_HOME": str(tmp_path)}
    refused = CliRunner().invoke(
        cli, ["--commercial", "config", "init", "encodec"], obj=App(environ=environ)
    )
    assert refused.exit_code != 0
    with pytest.raises(PluginError) as caught:
        type(registry)(registry.offers, commercial=True).get("codec", "encodec")
    assert "the licence of its weights is CC-BY-NC-4.0" in caught.value.message
    assert type(registry)(registry.offers, commercial=True).get("codec", "embedded")


def test_what_is_not_a_plugin_is_not_uninstalled():
    result = CliRunner().invoke(cli, ["plugins", "uninstall", "-y", "numpy"], obj=App())
    assert result.exit_code == 4
    assert "'numpy' is not an installed plugin" in result.stderr


def test_installing_works_when_every_plugin_is_broken(site):
    site.install("a-broken", "1 / 0")
    done = site.vall_e(
        "plugins", "install", "--no-index", "-q", "no-such-thing-at-all", VALL_E_STRICT_PLUGINS="1"
    )
    assert done.returncode == 1  # pip's own
    assert "no-such-thing-at-all" in done.stderr
    assert "ZeroDivision" not in done.stderr
