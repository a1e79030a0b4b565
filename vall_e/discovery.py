"""Finds the installed plugins, and checks what each of them offers.

A plugin is an entry point of the group `vall_e`; its key is (distribution, entry-point name). Each
is loaded separately, so that one that fails does not affect the others: the reason is recorded.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from difflib import get_close_matches
from importlib import metadata
from time import perf_counter
from types import MappingProxyType, ModuleType
from typing import Any, get_args, get_type_hints

import attrs
import pluggy
from attrs import frozen

from vall_e import hookspecs
from vall_e.hookspecs import HOOK_API
from vall_e.plugin_build import PluginBuild
from vall_e.registry import (
    CORE,
    FIRST_API,
    HOOKS,
    Component,
    Offer,
    PluginRecord,
    Registry,
    Status,
    is_api,
    normal,
)

ENTRY_POINT_GROUP = "vall_e"
API_ATTRIBUTE = "vall_e_hook_api"
"""The variable in a plugin's module that declares its hook API version."""

OFF = frozenset({"", "0", "false", "no", "off"})
"""Values of yes/no variables that mean no."""

logger = logging.getLogger(__name__)


@frozen
class EntryPoint:
    """An installed plugin that is not loaded yet."""

    distribution: str
    version: str
    name: str
    module: str
    load: Callable[[], object]


@frozen
class Surface:
    """The hooks that plugins may implement, each specified in `specs`."""

    specs: ModuleType | type
    hooks: Mapping[str, str]
    """The hook of each kind."""
    deprecated: Mapping[str, str] = MappingProxyType({})
    """The kind of each deprecated hook, whose specification warns (`warn_on_impl`)."""
    arguments: Mapping[str, Mapping[str, object]] = MappingProxyType({})
    """The arguments of a hook, by name, if it has any."""

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of every hook that is called."""
        return {hook: kind for kind, hook in self.hooks.items()} | dict(self.deprecated)


TODAY = Surface(hookspecs, HOOKS)


class IncompatibleError(Exception):
    """A plugin was written for another hook API."""


def discover(
    distributions: Iterable[metadata.Distribution] | None = None,
    *,
    environ: Mapping[str, str] = MappingProxyType({}),
    load_plugins: bool = True,
) -> Registry:
    """Load what is installed; of `environ`, the `VALL_E_*PLUGINS` variables are used.

    `VALL_E_PLUGINS` and `VALL_E_DISABLE_PLUGINS` are comma-separated distributions: load only
    these, or all but these. With `VALL_E_STRICT_PLUGINS=1` any problem is a `PluginError`. With
    `VALL_E_COMMERCIAL=1` the registry refuses what is not licensed for commercial use.
    """
    points = list(installed(distributions))
    choice = _Choice.of(environ, load_plugins)
    offers: list[Offer] = []
    records: list[PluginRecord] = []
    for point in points:
        reason = choice.excludes(point.distribution)
        found, record = ([], _record(point, "disabled", reason)) if reason else load(point)
        offers += found
        records.append(record)
    wanted = choice.wanted | (frozenset({CORE}) if distributions is None else frozenset())
    for name in sorted(wanted - {normal(point.distribution) for point in points}):
        reason = "it is not installed, or offers no entry point of the group `vall_e`"
        records.append(PluginRecord(name, "", "", "", "missing", reason))
    choice.warn_of_misspelt(points)
    registry = Registry(offers, records, commercial=_says_yes(environ, "VALL_E_COMMERCIAL"))
    if _says_yes(environ, "VALL_E_STRICT_PLUGINS"):
        registry.check()
    return registry


def _says_yes(environ: Mapping[str, str], variable: str) -> bool:
    return environ.get(variable, "").strip().lower() not in OFF


def registry_of(plugins: Iterable[object]) -> Registry:
    """Load only these plugin objects (modules, instances); raises what they raise."""
    offers: list[Offer] = []
    for plugin in plugins:
        name = getattr(plugin, "__name__", type(plugin).__name__)
        offers += collect(plugin, EntryPoint(name, "0", name, name, lambda: None)).offers
    return Registry(offers)


def installed(
    distributions: Iterable[metadata.Distribution] | None = None,
) -> Iterable[EntryPoint]:
    """The plugins of each distribution; the first on the path hides others of the same name.

    `metadata.entry_points()` does not work here: it does not give an entry point's distribution.
    """
    seen: set[str] = set()
    for distribution in metadata.distributions() if distributions is None else distributions:
        points = [p for p in distribution.entry_points if p.group == ENTRY_POINT_GROUP]
        if not points or not distribution.metadata["Name"]:  # the rest of a broken uninstall
            continue
        name = distribution.name
        if normal(name) not in seen:
            seen.add(normal(name))
            for point in sorted(points, key=lambda point: point.name):
                yield EntryPoint(name, distribution.version, point.name, point.value, point.load)


def load(point: EntryPoint, surface: Surface = TODAY) -> tuple[list[Offer], PluginRecord]:
    """Import a plugin and call its hooks; on failure, the reason is in its record."""
    start = perf_counter()
    found = Found()
    status: Status = "ok"
    reason = ""
    try:
        with redirect_stdout(sys.stderr):  # stdout may be a WAV file or JSON
            found = collect(point.load(), point, surface)
    except IncompatibleError as exc:
        status, reason = "incompatible", str(exc)
    except ImportError as exc:
        lacks = exc.name == "vall_e.plugin"  # the plugin needs a newer name from it
        status = "incompatible" if lacks else "failed"
        reason = _one_line(exc) + (": update vall-e" if lacks else "")
    except KeyboardInterrupt:
        logger.warning("interrupted while the plugin %s was imported", point.name)
        raise
    except BaseException as exc:  # a plugin can fail in any way, even by a panic in Rust
        logger.debug("plugin %s", point.name, exc_info=True)
        status, reason = "failed", _one_line(exc)
    record = _record(point, status, reason, found=found, seconds=perf_counter() - start)
    return list(found.offers), record


@frozen
class Found:
    """What a plugin offers, and what its authors should change."""

    offers: tuple[Offer, ...] = ()
    deprecations: tuple[str, ...] = ()


def collect(plugin: object, point: EntryPoint, surface: Surface = TODAY) -> Found:
    """What this plugin offers, or raise its error.

    Each plugin gets its own manager: in a common one, the first hook that raises ends the call for
    all, and the order of plugins would matter. For a deprecated hook or argument there is a
    `DeprecationWarning` that names the plugin: Python shows it to those who test a plugin, and not
    to those who use it.
    """
    _check_api("it", getattr(plugin, API_ATTRIBUTE, FIRST_API))
    manager = pluggy.PluginManager("vall_e")
    manager.add_hookspecs(surface.specs)
    deprecations = _register(plugin, point, manager)
    _check_spelling(plugin, manager, surface)
    offers: dict[tuple[str, str], Offer] = {}
    for hook, kind in surface.kinds.items():
        caller = getattr(manager.hook, hook)
        answers = caller(**surface.arguments.get(hook, {}))
        if len(answers) < len(caller.get_hookimpls()):  # pluggy leaves out None
            raise TypeError(f"{hook} must return a list of components, got None")
        for offered in answers:
            for component in _components(hook, offered):
                if (kind, component.name) in offers:
                    raise ValueError(f"{hook} offers {component.name!r} twice")
                _check_config(kind, component)
                offer = Offer(
                    kind, _guarded(component, point), point.distribution, point.version, point.name
                )
                offers[kind, component.name] = offer
    return Found(tuple(offers.values()), deprecations)


def _guarded(component: Component[Any], point: EntryPoint) -> Component[Any]:
    """A plugin's component whose `build` names the plugin if it fails."""
    if normal(point.distribution) == CORE:
        return component
    plugin = f"{point.distribution} {point.version}"
    return attrs.evolve(component, build=PluginBuild(component.build, component.name, plugin))


def _register(plugin: object, point: EntryPoint, manager: pluggy.PluginManager) -> tuple[str, ...]:
    """Register the plugin with its manager; returns the texts of warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        manager.register(plugin)  # pluggy warns, but does not name the plugin
    texts = []
    for each in caught:
        text = f"{point.distribution} {point.version} ({point.name}): {each.message}"
        if issubclass(each.category, DeprecationWarning):
            texts.append(str(each.message))
        warnings.warn_explicit(text, each.category, each.filename, each.lineno)
    return tuple(texts)


def _check_spelling(plugin: object, manager: pluggy.PluginManager, surface: Surface) -> None:
    """Pluggy does not report a misspelled or unmarked hook; it never calls it."""
    marked = {caller.name for caller in manager.get_hookcallers(plugin) or ()}
    named = {name for name in dir(plugin) if name.startswith("vall_e_register_")}
    for name in sorted((marked | named) - set(surface.kinds)):
        near = get_close_matches(name, surface.hooks.values(), n=1)
        meant = f", did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"there is no hook called {name!r}{meant}")
    for name in sorted(named - marked):
        raise AttributeError(f"{name} is not marked with @hookimpl")
    if not marked:
        raise AttributeError("it has no function marked with @hookimpl")


def _components(hook: str, offered: object) -> Iterable[Component[Any]]:
    if isinstance(offered, Component):
        raise TypeError(f"{hook} must return a list: put the component {offered.name!r} into one")
    if not isinstance(offered, Iterable):
        raise TypeError(f"{hook} must return a list of components, got {offered!r}")
    for component in offered:
        if not isinstance(component, Component):
            raise TypeError(f"{hook} must return a list of components, found {component!r}")
        _check_api(repr(component.name), component.api)
        yield component


def _check_api(who: str, api: object) -> None:
    """Called before a hook is used: a newer plugin may have unknown hooks and fields."""
    if not is_api(api):
        raise TypeError(f"{API_ATTRIBUTE} must be two numbers like (1, 0), got {api!r}")
    major, minor = api
    if major != HOOK_API[0] or minor > HOOK_API[1]:
        newer = (major, minor) > HOOK_API
        raise IncompatibleError(
            f"{who} needs hook API {major}.{minor}, but this vall-e has "
            f"{HOOK_API[0]}.{HOOK_API[1]}: update {'vall-e' if newer else 'the plugin'}"
        )


def _check_config(kind: str, component: Component[Any]) -> None:
    """An error in a config class is reported for its plugin, not for whoever lists plugins."""
    _check_types(component.config, set())
    fields = attrs.fields(component.config)
    if "name" in {attribute.alias or attribute.name for attribute in fields}:
        raise TypeError(f"{component.name!r} has an option called `name`, which names components")
    required = [a.name for a in fields if a.init and a.default is attrs.NOTHING]
    for name, of in (("used_in", "wrapper"), ("fixed", "optimizer")):
        if kind != of and getattr(component, name) not in ("both", ()):
            raise TypeError(f"{component.name!r} sets {name}, which is only for kind {of}")
    if kind == "command" and required:
        raise TypeError(f"the command {component.name!r} has an option without default: {required}")


def _check_types(config: type, seen: set[type]) -> None:
    seen.add(config)
    try:
        hints = get_type_hints(config)
    except Exception as exc:
        raise TypeError(
            f"the types of the options of {config.__qualname__} cannot be read: {exc}; "
            "import them at run time, not under TYPE_CHECKING"
        ) from exc
    for hint in hints.values():
        for part in (hint, *get_args(hint)):
            if isinstance(part, type) and attrs.has(part) and part not in seen:
                _check_types(part, seen)


def _one_line(exc: BaseException) -> str:
    """Kind and message of an error on one line."""
    name, message = type(exc).__name__, " ".join(str(exc).split())
    return f"{name}: {message}" if message else name


@frozen
class _Choice:
    """Which distributions the user wants to load."""

    load_plugins: bool
    only: frozenset[str] | None
    without: frozenset[str]

    @classmethod
    def of(cls, environ: Mapping[str, str], load_plugins: bool) -> _Choice:
        only = environ.get("VALL_E_PLUGINS")
        return cls(
            load_plugins,
            None if only is None else _names(only),
            _names(environ.get("VALL_E_DISABLE_PLUGINS", "")),
        )

    def warn_of_misspelt(self, points: Iterable[EntryPoint]) -> None:
        """Warn about an excluded plugin that is not installed, since it may be misspelled."""
        known = {normal(point.distribution) for point in points}
        for name in sorted(self.without - known - {CORE}):
            near = get_close_matches(name, known, n=1)
            meant = f", did you mean {near[0]!r}?" if near else ""
            logger.warning("VALL_E_DISABLE_PLUGINS names %r: no such plugin%s", name, meant)

    @property
    def wanted(self) -> frozenset[str]:
        """Those that the user requested by name."""
        return (self.only or frozenset()) - self.without if self.load_plugins else frozenset()

    def excludes(self, distribution: str) -> str:
        """Why this distribution is left out; empty if it is not."""
        name = normal(distribution)
        if name == CORE:
            return ""
        if not self.load_plugins:
            return "left out by --no-plugins"
        if name in self.without:
            return "left out by VALL_E_DISABLE_PLUGINS"
        if self.only is not None and name not in self.only:
            return "not listed in VALL_E_PLUGINS"
        return ""


def _record(
    point: EntryPoint,
    status: Status,
    reason: str,
    *,
    found: Found = Found(),
    seconds: float = 0.0,
) -> PluginRecord:
    return PluginRecord(
        distribution=point.distribution,
        version=point.version,
        entry_point=point.name,
        module=point.module,
        status=status,
        reason=reason,
        components=tuple(f"{offer.kind}:{offer.component.name}" for offer in found.offers),
        deprecations=found.deprecations,
        seconds=seconds,
    )


def _names(text: str) -> frozenset[str]:
    return frozenset(normal(name.strip()) for name in text.split(",") if name.strip())
