import pytest
from attrs import frozen

from vall_e import plugin
from vall_e.discovery import discover, registry_of
from vall_e.errors import PluginError, UnknownComponentError
from vall_e.hookspecs import HOOK_API, hookimpl
from vall_e.registry import HOOKS, Component, Preset

NEWER = f"api=({HOOK_API[0]}, {HOOK_API[1] + 1})"
CONFIG = """
from attrs import frozen
from vall_e.plugin import Component, hookimpl

@frozen
class Options:
    {option}

@hookimpl
def vall_e_register_samplers():
    return [Component("a", Options, Options, {summary})]
"""
OLDER = f"api=({HOOK_API[0] - 1}, 0)"


@frozen
class Options:
    size: int = 1


class Offers:
    """A plugin that offers samplers of these names."""

    def __init__(self, *names):
        self.components = [Component(name, Options, lambda config: config, "") for name in names]

    @hookimpl
    def vall_e_register_samplers(self):
        return self.components


def test_a_plugin_is_found_with_its_owner(site, plugin_source):
    site.install("fine-plugin", plugin_source("fine"), entry_point="point", version="2.1")
    registry = site.discover()
    [offer] = registry.offers
    [record] = registry.plugins
    assert registry.get("sampler", "fine").build(offer.component.config()) == 3
    assert (offer.kind, offer.distribution, offer.version) == ("sampler", "fine-plugin", "2.1")
    assert (record.status, record.components, record.reason) == ("ok", ("sampler:fine",), "")
    assert str(record) == "fine-plugin 2.1 (point)"
    assert record.seconds > 0
    assert registry.broken == {}


@pytest.mark.parametrize(
    ("source", "status", "reason"),
    [
        ("import mamba_ssm", "failed", "ModuleNotFoundError: No module named 'mamba_ssm'"),
        ("import sys; sys.exit(3)", "failed", "SystemExit: 3"),
        (
            "from vall_e.plugin import hookimpl\n@hookimpl\ndef vall_e_register_sampler(): ...",
            "failed",
            "AttributeError: there is no hook called 'vall_e_register_sampler', "
            "did you mean 'vall_e_register_samplers'?",
        ),
        (
            "from vall_e.plugin import hookimpl\n@hookimpl\ndef offer_something(): ...",
            "failed",
            "AttributeError: there is no hook called 'offer_something'",
        ),
        (
            "def vall_e_register_samplers(): return []",
            "failed",
            "AttributeError: vall_e_register_samplers is not marked with @hookimpl",
        ),
        ("x = 1", "failed", "AttributeError: it has no function marked with @hookimpl"),
        (
            "from vall_e.plugin import hookimpl\n@hookimpl\ndef vall_e_register_samplers(): 1 / 0",
            "failed",
            "ZeroDivisionError: division by zero",
        ),
        (
            "from vall_e.plugin import hookimpl\n"
            "@hookimpl\ndef vall_e_register_samplers():\n    yield from ()\n    1 / 0",
            "failed",
            "ZeroDivisionError: division by zero",
        ),
        (
            "from vall_e.plugin import hookimpl\n@hookimpl\n"
            "def vall_e_register_samplers(): return 7",
            "failed",
            "TypeError: vall_e_register_samplers must return a list of components, got 7",
        ),
        (
            "from vall_e.plugin import hookimpl\n@hookimpl\n"
            "def vall_e_register_samplers(): return ['top-k']",
            "failed",
            "TypeError: vall_e_register_samplers must return a list of components, found 'top-k'",
        ),
        (
            "from vall_e.plugin import hookimpl\n@hookimpl\ndef vall_e_register_samplers(): pass",
            "failed",
            "TypeError: vall_e_register_samplers must return a list of components, got None",
        ),
        (
            "from attrs import make_class as m\nfrom vall_e.plugin import hookimpl, Component\n"
            "@hookimpl\n"
            "def vall_e_register_samplers(): return Component('a', m('C', []), dict, '')",
            "failed",
            "TypeError: vall_e_register_samplers must return a list: put the component 'a' into "
            "one",
        ),
        (
            "from vall_e.plugin import hookimpl, Component\n@hookimpl\n"
            "def vall_e_register_samplers(): return [Component('My Own', int, int, '')]",
            "failed",
            "ValueError: 'My Own' is not a valid component name: small letters, digits, hyphens, a "
            "letter first",
        ),
        (
            "from vall_e.plugin import hookimpl, Component\n@hookimpl\n"
            "def vall_e_register_samplers(): return [Component('a', dict, dict, '')]",
            "failed",
            "TypeError: config of 'a' must be an attrs class, got <class 'dict'>",
        ),
        ("raise BaseException('panic')", "failed", "BaseException: panic"),
        ("raise RuntimeError('one\\n two')", "failed", "RuntimeError: one two"),
        ("raise RuntimeError", "failed", "RuntimeError"),
        (
            "vall_e_hook_api = (1, 99)\nfrom vall_e.plugin import hookimpl, Component\n@hookimpl\n"
            "def vall_e_register_vocoders(): return [Component('a', int, int, '', device='cuda')]",
            "incompatible",
            f"it needs hook API 1.99, but this vall-e has {HOOK_API[0]}.{HOOK_API[1]}: "
            "update vall-e",
        ),
        (
            "from vall_e.plugin import Vocoder",
            "incompatible",
            "ImportError: cannot import name 'Vocoder' from 'vall_e.plugin' (MODULE): "
            "update vall-e",
        ),
        (
            "vall_e_hook_api = '1.0'",
            "failed",
            "TypeError: vall_e_hook_api must be two numbers like (1, 0), got '1.0'",
        ),
        (
            CONFIG.format(option="size: 'Nope' = 3", summary="''"),
            "failed",
            "TypeError: the types of the options of Options cannot be read: name 'Nope' is not "
            "defined; import them at run time, not under TYPE_CHECKING",
        ),
        (
            CONFIG.format(option="name: str = 'x'", summary="''"),
            "failed",
            "TypeError: 'a' has an option called `name`, which names components",
        ),
        (
            NEWER,
            "incompatible",
            f"'odd' needs hook API {HOOK_API[0]}.{HOOK_API[1] + 1}, but this vall-e has "
            f"{HOOK_API[0]}.{HOOK_API[1]}: update vall-e",
        ),
        (
            OLDER,
            "incompatible",
            f"'odd' needs hook API {HOOK_API[0] - 1}.0, but this vall-e has "
            f"{HOOK_API[0]}.{HOOK_API[1]}: update the plugin",
        ),
    ],
)
def test_a_broken_plugin_is_recorded_and_stops_nobody(site, plugin_source, source, status, reason):
    odd = plugin_source("odd", more=source) if source in (NEWER, OLDER) else source
    site.install("a-odd-plugin", odd)
    site.install("z-fine-plugin", plugin_source("fine"))
    registry = site.discover()
    records = {record.distribution: record for record in registry.plugins}
    assert registry.names("sampler") == ["fine"]
    reason = reason.replace("MODULE", plugin.__file__)
    assert (records["a-odd-plugin"].status, records["a-odd-plugin"].reason) == (status, reason)
    assert registry.broken == {"a-odd-plugin 1.0 (demo)": reason}


def test_one_name_twice_in_a_plugin_is_its_own_mistake():
    with pytest.raises(ValueError, match="vall_e_register_samplers offers 'a' twice"):
        registry_of([Offers("a", "a")])


@pytest.mark.parametrize("name", ["mamba", "vall-e-backbone-mamba:anything"])
def test_asking_for_something_of_a_broken_plugin_says_its_reason(site, name):
    site.install("vall-e-backbone-mamba", "import mamba_ssm")
    with pytest.raises(UnknownComponentError) as caught:
        site.discover().get("backbone", name)
    assert caught.value.message == (
        f"there is no backbone called {name!r}; the plugin vall-e-backbone-mamba 1.0 (demo), "
        "which may offer it, is broken: ModuleNotFoundError: No module named 'mamba_ssm'"
    )
    assert caught.value.hint == "run `vall-e plugins doctor`, then repair or enable that plugin"


def test_an_entry_point_name_says_what_a_broken_plugin_may_offer(site):
    site.install("many-things", "import mamba_ssm", entry_point="mamba")
    with pytest.raises(UnknownComponentError, match="which may offer it, is broken"):
        site.discover().get("backbone", "mamba")


def test_an_unknown_name_comes_with_the_nearest_and_with_broken_plugins(site, plugin_source):
    site.install("fine-plugin", plugin_source("nucleus"))
    site.install("broken-plugin", "1 / 0")
    with pytest.raises(UnknownComponentError) as caught:
        site.discover().get("sampler", "nuclues")
    assert caught.value.message == "there is no sampler called 'nuclues'"
    assert caught.value.hint == (
        "did you mean 'nucleus'? (plugins that are not loaded: "
        "broken-plugin 1.0 (demo): ZeroDivisionError: division by zero)"
    )


def test_an_unknown_name_far_from_all_comes_with_all():
    registry = registry_of([Offers("one", "two")])
    with pytest.raises(UnknownComponentError) as caught:
        registry.get("sampler", "zebra")
    assert caught.value.hint == "installed: one, two"


def test_an_entry_point_name_that_two_distributions_use_loads_both(site, plugin_source):
    site.install("plugin-one", plugin_source("one"), entry_point="same")
    site.install("plugin-two", plugin_source("two"), entry_point="same")
    assert site.discover().names("sampler") == ["one", "two"]


def test_a_name_that_two_plugins_offer_is_an_error_only_when_asked_for(site, plugin_source):
    site.install("plugin-one", plugin_source("same"))
    site.install("plugin_two", plugin_source("same"))
    site.install("plugin-three", plugin_source("other"))
    registry = site.discover()
    assert registry.broken == {}
    assert registry.names("sampler") == ["other", "plugin-one:same", "plugin_two:same"]
    assert registry.get("sampler", "other").name == "other"
    with pytest.raises(PluginError) as caught:
        registry.get("sampler", "same")
    assert caught.value.message == (
        "two plugins offer the sampler 'same': plugin-one 1.0 (demo) and plugin_two 1.0 (demo)"
    )
    assert caught.value.hint == "write plugin-one:same or plugin_two:same to choose one"
    picked = registry.get("sampler", "plugin-two:same")
    assert picked.config.__module__ == "plugin_two_demo"


def test_one_distribution_that_offers_a_name_twice_is_to_blame(site, plugin_source):
    site.install("plugin", plugin_source("same"), entry_point="a")
    site.install("plugin", plugin_source("same"), entry_point="b")
    with pytest.raises(PluginError) as caught:
        site.discover().get("sampler", "plugin:same")
    assert caught.value.hint == "uninstall plugin, and report this to its authors"


def test_a_distribution_that_is_on_the_path_twice_counts_once(site, plugin_source):
    site.install("plugin", plugin_source("old"), version="1.0")
    site.install("plugin", plugin_source("new"), version="2.0")
    assert len(site.discover().plugins) == 1


def test_a_folder_that_an_uninstall_left_behind_is_not_a_plugin(site):
    left = site.folder / "~lugin-1.0.dist-info"
    left.mkdir()
    (left / "entry_points.txt").write_text("[vall_e]\nx = gone\n")
    assert site.discover().plugins == ()


@pytest.mark.parametrize(
    ("environ", "loaded", "reason"),
    [
        ({"VALL_E_PLUGINS": ""}, [], "not listed in VALL_E_PLUGINS"),
        ({"VALL_E_PLUGINS": "Plugin_One"}, ["one"], "not listed in VALL_E_PLUGINS"),
        ({"VALL_E_PLUGINS": "plugin-one, plugin-two"}, ["one", "two"], None),
        ({"VALL_E_DISABLE_PLUGINS": "plugin-two"}, ["one"], "left out by VALL_E_DISABLE_PLUGINS"),
        ({"VALL_E_DISABLE_PLUGINS": ""}, ["one", "two"], None),
        (
            {"VALL_E_PLUGINS": "plugin-one,plugin-two", "VALL_E_DISABLE_PLUGINS": "plugin-two"},
            ["one"],
            "left out by VALL_E_DISABLE_PLUGINS",
        ),
    ],
)
def test_variables_limit_what_loads(site, plugin_source, environ, loaded, reason):
    site.install("plugin-one", plugin_source("one"))
    site.install("plugin-two", plugin_source("two"))
    registry = site.discover(environ=environ)
    assert registry.names("sampler") == loaded
    assert registry.broken == {}
    told = {record.reason for record in registry.plugins if record.status == "disabled"}
    assert told == ({reason} if reason else set())


def test_a_disabled_plugin_is_never_imported(site):
    site.install("plugin", "1 / 0")
    [record] = site.discover(load_plugins=False).plugins
    assert (record.status, record.reason) == ("disabled", "left out by --no-plugins")


def test_asking_for_something_of_a_disabled_plugin_says_what_disables_it(site, plugin_source):
    site.install("vall-e-sampler-dry", plugin_source("dry"))
    registry = site.discover(environ={"VALL_E_PLUGINS": ""})
    with pytest.raises(UnknownComponentError, match="is disabled: not listed in VALL_E_PLUGINS"):
        registry.get("sampler", "dry")


def test_built_in_components_load_whatever_is_switched_off():
    registry = discover(
        load_plugins=False,
        environ={"VALL_E_PLUGINS": "", "VALL_E_DISABLE_PLUGINS": "vall-e"},
    )
    assert "llama" in registry.names("backbone")


def test_a_plugin_that_is_asked_for_by_name_and_not_installed_is_missing(site):
    registry = site.discover(environ={"VALL_E_PLUGINS": "vall-e-backbone-mamba"})
    [reason] = registry.broken.values()
    assert reason == "it is not installed, or offers no entry point of the group `vall_e`"
    with pytest.raises(UnknownComponentError, match="which may offer it, is missing"):
        registry.get("backbone", "mamba")


@pytest.mark.parametrize("strict", ["1", "yes"])
def test_strictness_makes_a_broken_plugin_fatal(site, strict):
    site.install("plugin-one", "1 / 0")
    site.install("plugin-two", "import nothing_of_that_name")
    with pytest.raises(PluginError) as caught:
        site.discover(environ={"VALL_E_STRICT_PLUGINS": strict})
    assert "plugin-one 1.0 (demo): ZeroDivisionError" in caught.value.message
    assert "plugin-two 1.0 (demo): ModuleNotFoundError" in caught.value.message
    assert "VALL_E_STRICT_PLUGINS" in caught.value.hint


def test_strictness_makes_a_name_that_two_plugins_offer_fatal(site, plugin_source):
    site.install("plugin-one", plugin_source("same"))
    site.install("plugin-two", plugin_source("same"))
    with pytest.raises(PluginError, match="two plugins offer the sampler 'same'"):
        site.discover(environ={"VALL_E_STRICT_PLUGINS": "1"})


@pytest.mark.parametrize("strict", ["", "0", "false", "No", "off"])
def test_without_strictness_nothing_is_fatal(site, strict):
    site.install("plugin", "1 / 0")
    assert len(site.discover(environ={"VALL_E_STRICT_PLUGINS": strict}).broken) == 1


def test_strictness_does_not_mind_a_disabled_plugin(site):
    site.install("plugin", "1 / 0")
    environ = {"VALL_E_STRICT_PLUGINS": "1", "VALL_E_DISABLE_PLUGINS": "plugin"}
    assert site.discover(environ=environ).broken == {}


def test_what_a_plugin_prints_stays_out_of_stdout(site, plugin_source, capsys):
    site.install("plugin", "print('hello')\n" + plugin_source("fine"))
    site.discover()
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_registries_share_nothing():
    assert registry_of([Offers("one")]).names("sampler") == ["one"]
    assert registry_of([Offers("two")]).names("sampler") == ["two"]


@pytest.mark.parametrize("kind", HOOKS)
def test_every_kind_can_be_offered(site, plugin_source, kind):
    site.install("plugin", plugin_source("fine", kind=kind))
    assert site.discover().names(kind) == ["fine"]


def test_a_kind_that_does_not_exist_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="there is no kind of component called 'vocoder'"):
        registry_of([]).names("vocoder")


@pytest.mark.parametrize("name", ["Gru", "top_k", "", "2d", "a:b"])
def test_names_are_kebab_case(name):
    with pytest.raises(ValueError, match="name"):
        Component(name, Options, Options, "")


def test_discovery_imports_no_torch(site, plugin_source):
    site.install("plugin", plugin_source("fine"))
    code = (
        "import sys; from vall_e.discovery import discover; r = discover(); "
        "assert 'fine' in r.names('sampler'); sys.exit('torch' in sys.modules)"
    )
    done = site.run("-c", code)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_summary_is_text(site):
    site.install("plugin", CONFIG.format(option="size: int = 1", summary="None"))
    [record] = site.discover().plugins
    assert (record.status, "summary" in record.reason) == ("failed", True)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('used_in="training"', "'a' sets used_in, which is only for kind wrapper"),
        ('fixed=("size",)', "'a' sets fixed, which is only for kind optimizer"),
        ('fixed=("rank",)', "fixed of 'a' must be a tuple of its options: ('rank',)"),
    ],
)
def test_what_only_another_kind_can_say_is_refused(site, plugin_source, more, says):
    site.install("plugin", plugin_source("a", more=more))
    assert says in site.discover().broken["plugin 1.0 (demo)"]


def test_a_command_has_no_option_that_must_be_given(site, plugin_source):
    source = plugin_source("hum", kind="command").replace("size: int = 3", "size: int")
    site.install("plugin", source)
    [record] = site.discover().plugins
    assert record.reason == "TypeError: the command 'hum' has an option without default: ['size']"


def test_a_misspelt_name_of_a_plugin_to_leave_out_is_warned_of(site, plugin_source, caplog):
    site.install("plugin-one", plugin_source("one"))
    site.discover(environ={"VALL_E_DISABLE_PLUGINS": "plugin-oen"})
    assert caplog.messages == [
        "VALL_E_DISABLE_PLUGINS names 'plugin-oen': no such plugin, did you mean 'plugin-one'?"
    ]


def test_a_preset_means_the_built_in_component(site, plugin_source):
    site.install("vall-e", plugin_source("same"))
    site.install("plugin", plugin_source("same"))
    registry = site.discover()
    assert registry.offer("sampler", Preset("same")).distribution == "vall-e"
    with pytest.raises(PluginError, match="two plugins offer the sampler 'same'"):
        registry.get("sampler", "same")


@frozen
class _NoOptions:
    pass


def _offering(*components):
    class Plugin:
        @hookimpl
        def vall_e_register_stores(self):
            return list(components)

    return registry_of([Plugin()])


def _store(name, **more):
    return Component(name=name, config=_NoOptions, build=lambda config: name, summary=name, **more)


def test_an_alias_still_resolves_and_is_not_listed():
    registry = _offering(_store("ecker", aliases=("original", "theirs")))
    assert registry.get("store", "original").name == "ecker"
    assert registry.names("store") == ["ecker"]
    assert registry.duplicates() == []


def test_a_name_comes_before_an_alias():
    registry = _offering(_store("ecker", aliases=("original",)), _store("original"))
    assert registry.get("store", "original").name == "original"


@pytest.mark.parametrize("aliases", [["old"], ("ecker",), ("Old",)])
def test_an_alias_is_another_name(aliases):
    with pytest.raises((TypeError, ValueError)):
        _store("ecker", aliases=aliases)


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("store", "original", "ecker"),
        ("exporter", "original", "ecker"),
        ("exporter", "original-lora", "ecker-lora"),
    ],
)
def test_the_earlier_names_of_built_in_components_still_work(kind, old, new):
    registry = discover(environ={})
    assert registry.offer(kind, old) == registry.offer(kind, new)
    assert old not in registry.names(kind)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("flash_(sdpa)", "flash"),
        ("mem_efficient", "mem-efficient"),
        ("flash_attention_2", "flash-attention-2"),
        ("flash_attn", "flash-attn"),
        ("flash_attn_v100", "flash-v100"),
        ("fused_attn", "fused"),
        ("sageattn", "sage"),
        ("sdpa", "sdpa"),
    ],
)
def test_kernels_may_be_spelt_as_in_the_project_of_e_c_k_e_r(theirs, ours):
    registry = discover(environ={})
    assert registry.offer("attention", theirs) == registry.offer("attention", ours)


def test_another_spelling_finds_no_other_component():
    registry = discover(environ={})
    assert registry.find("attention", "mem") == []
    assert registry.find("attention", "(-)") == []
