"""A hook that is on its way out works as before, and tells the authors who still use it."""

import types

import pytest
from attrs import frozen
from click.testing import CliRunner

from vall_e.cli.app import App, cli
from vall_e.cli.plugins.command import Checkup
from vall_e.discovery import EntryPoint, Surface, collect, load
from vall_e.hookspecs import hookimpl, hookspec
from vall_e.registry import Component, PluginRecord, Registry

ADVICE = "vall_e_register_noises is vall_e_register_samplers since hook API 1.2: rename yours"
NEEDLESS = "`rate` is always 1 since hook API 1.2: take no argument"


class Specs:
    @hookspec
    def vall_e_register_samplers(self):
        """As it is called today."""

    @hookspec(warn_on_impl=DeprecationWarning(ADVICE))
    def vall_e_register_noises(self):
        """As it was called."""

    @hookspec(warn_on_impl_args={"rate": DeprecationWarning(NEEDLESS)})
    def vall_e_register_codecs(self, rate):
        """One whose argument says nothing any longer."""


SURFACE = Surface(
    Specs,
    {"sampler": "vall_e_register_samplers", "codec": "vall_e_register_codecs"},
    deprecated={"vall_e_register_noises": "sampler"},
    arguments={"vall_e_register_codecs": {"rate": 1}},
)


@frozen
class Options:
    size: int = 1


def offering(name):
    return [Component(name, Options, lambda config: config, "")]


class Old:
    @hookimpl
    def vall_e_register_noises(self):
        return offering("hiss")


class Needless:
    @hookimpl
    def vall_e_register_codecs(self, rate):
        return offering(f"codec-{rate}")


class New:
    @hookimpl
    def vall_e_register_samplers(self):
        return offering("hiss")

    @hookimpl
    def vall_e_register_codecs(self):
        return offering("codec")


def point(plugin=None):
    return EntryPoint("my-plugin", "0.3", "demo", "my_plugin", lambda: plugin)


@pytest.mark.parametrize(
    ("plugin", "advice", "offered"),
    [(Old(), ADVICE, ("sampler", "hiss")), (Needless(), NEEDLESS, ("codec", "codec-1"))],
)
def test_what_is_deprecated_works_and_warns_its_author_once(plugin, advice, offered):
    with pytest.warns(DeprecationWarning, match="my-plugin") as caught:
        found = collect(plugin, point(), SURFACE)
    assert [(offer.kind, offer.component.name) for offer in found.offers] == [offered]
    assert [str(each.message) for each in caught] == [f"my-plugin 0.3 (demo): {advice}"]
    assert found.deprecations == (advice,)
    assert caught[0].filename == __file__  # of the author's module, not of ours


def test_what_is_not_deprecated_warns_nobody():
    found = collect(New(), point(), SURFACE)  # a warning would be an error
    assert [offer.component.name for offer in found.offers] == ["hiss", "codec"]
    assert found.deprecations == ()


def test_a_component_of_the_old_and_of_the_new_hook_is_twice():
    class Both(Old, New):
        """A plugin that says it in both ways."""

    with (
        pytest.warns(DeprecationWarning, match="my-plugin"),
        pytest.raises(ValueError, match="'hiss' twice"),
    ):
        collect(Both(), point(), SURFACE)


def test_a_misspelt_hook_is_never_taken_for_a_deprecated_one():
    module = types.ModuleType("odd")
    module.vall_e_register_noise = list
    with pytest.raises(AttributeError, match="there is no hook called 'vall_e_register_noise'"):
        collect(module, point(), SURFACE)


def test_its_record_says_what_to_change():
    with pytest.warns(DeprecationWarning, match="my-plugin"):
        _, record = load(point(Old()), SURFACE)
    assert (record.status, record.deprecations) == ("ok", (ADVICE,))


def test_doctor_and_info_say_so_without_complaint():
    record = PluginRecord("my-plugin", "0.3", "demo", "my", "ok", deprecations=(ADVICE,))
    checkup = Checkup(record, seconds=0.0, imports_torch=False)
    assert str(checkup).endswith(f": deprecated: {ADVICE}")
    assert list(checkup.complaints) == []
    app = App(registry=Registry([], [record]))
    done = CliRunner().invoke(cli, ["plugins", "info", "my-plugin"], obj=app)
    assert f"  deprecated: {ADVICE}\n" in done.stdout
    assert done.exit_code == 0
