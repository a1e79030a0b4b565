"""Find plugins, and look up the components that they offer.

A plugin is an entry point of the group `vall_e`; its key is (distribution, entry-point name). Each
is loaded on its own, so that one which fails keeps nobody else from working: it is recorded with
its reason, and the reason comes up when something of it is asked for.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from difflib import get_close_matches
from importlib import metadata
from time import perf_counter
from types import MappingProxyType
from typing import Any, Generic, Literal, TypeGuard, TypeVar, get_args, get_type_hints

import attrs
import pluggy
from attrs import field, frozen, validators

from vall_e import hookspecs
from vall_e.errors import PluginError, UnknownComponentError
from vall_e.hookspecs import HOOK_API

C = TypeVar("C")

HOOKS = MappingProxyType(
    {
        "backbone": "vall_e_register_backbones",
        "attention": "vall_e_register_attentions",
        "codec": "vall_e_register_codecs",
        "sampler": "vall_e_register_samplers",
        "task": "vall_e_register_tasks",
        "optimizer": "vall_e_register_optimizers",
        "schedule": "vall_e_register_schedules",
        "wrapper": "vall_e_register_wrappers",
        "phonemizer": "vall_e_register_phonemizers",
        "engine": "vall_e_register_engines",
        "exporter": "vall_e_register_exporters",
        "model": "vall_e_register_models",
        "command": "vall_e_register_commands",
    }
)
"""The kinds of components, and the hook that offers each."""

ENTRY_POINT_GROUP = "vall_e"
CORE = "vall-e"
"""The distribution whose components are built in: it loads whatever else is switched off."""

FIRST_API = (1, 0)
"""What a plugin that does not say needs."""
API_ATTRIBUTE = "vall_e_hook_api"
"""The name in a plugin's module that says which hook API it was written for."""

OFF = frozenset({"", "0", "false", "no", "off"})
"""What a variable of yes or no says to mean no."""

Status = Literal["ok", "failed", "incompatible", "disabled", "missing"]

logger = logging.getLogger(__name__)


def _attrs_class(component: Component[Any], _: object, config: type) -> None:
    if not (isinstance(config, type) and attrs.has(config)):
        raise TypeError(f"config of {component.name!r} must be an attrs class, got {config!r}")


def _api_version(component: Component[Any], _: object, api: object) -> None:
    if not _is_api(api):
        raise TypeError(f"api of {component.name!r} must be two numbers like (1, 0), got {api!r}")


text = validators.instance_of(str)


class Preset(str):
    """A bare name that no user wrote just now: of a default, or of a saved configuration.

    Where two plugins offer it, the built-in one is meant; otherwise installing a plugin would
    break what never asked for it.
    """

    __slots__ = ()


@frozen
class Component(Generic[C]):
    """One thing that a user can name in a config file."""

    name: str = field(validator=validators.matches_re(r"[a-z][a-z0-9-]*"))
    """What the user writes, e.g. `gru`."""
    config: type[C] = field(validator=_attrs_class)
    """Attrs class of the options beside the name. Importable without torch."""
    build: Callable[..., Any] = field(validator=validators.is_callable())
    """Turns an instance of `config` into the object; imports torch itself."""
    summary: str = field(validator=text)
    """One line for `vall-e plugins list`."""
    paper: str = field(default="", validator=text)
    """URL of the source paper, if there is one."""
    api: tuple[int, int] = field(default=FIRST_API, validator=_api_version)
    """The hook API that it needs, if it is not that of its module's `vall_e_hook_api`."""
    code_license: str = field(default="Apache-2.0", validator=text)
    weights_license: str = field(default="", validator=text)
    """Of the weights that `build` loads; empty if it loads none."""


@frozen
class Offer:
    """A component, and who offers it."""

    kind: str
    component: Component[Any]
    distribution: str
    version: str
    entry_point: str

    @property
    def qualified(self) -> str:
        """The name that stays clear when another plugin offers the same one."""
        return f"{self.distribution}:{self.component.name}"

    @property
    def built_in(self) -> bool:
        return normal(self.distribution) == CORE


@frozen
class PluginRecord:
    """What became of one entry point."""

    distribution: str
    version: str
    entry_point: str
    module: str
    status: Status
    reason: str = ""
    """Why it is not `ok`."""
    components: tuple[str, ...] = ()
    """As `kind:name`."""
    seconds: float = 0.0
    """To import it and call its hooks."""

    @property
    def troubled(self) -> bool:
        return self.status not in ("ok", "disabled")

    def __str__(self) -> str:
        point = f" ({self.entry_point})" if self.entry_point else ""
        return f"{self.distribution} {self.version}".strip() + point


@frozen
class EntryPoint:
    """An installed plugin that is not loaded yet."""

    distribution: str
    version: str
    name: str
    module: str
    load: Callable[[], object]


class IncompatibleError(Exception):
    """A plugin was written for another hook API."""


class Registry:
    """Components by kind and name. Made once, then only read."""

    def __init__(self, offers: Iterable[Offer], plugins: Iterable[PluginRecord] = ()) -> None:
        self.offers = tuple(offers)
        self.plugins = tuple(plugins)

    @classmethod
    def discover(
        cls,
        distributions: Iterable[metadata.Distribution] | None = None,
        *,
        environ: Mapping[str, str] = MappingProxyType({}),
        load_plugins: bool = True,
    ) -> Registry:
        """Load what is installed; of `environ`, the `VALL_E_*PLUGINS` variables count.

        `VALL_E_PLUGINS` and `VALL_E_DISABLE_PLUGINS` are lists of distributions, by commas: only
        these, all but these. With `VALL_E_STRICT_PLUGINS=1` any trouble is a `PluginError`.
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
        registry = cls(offers, records)
        if environ.get("VALL_E_STRICT_PLUGINS", "").strip().lower() not in OFF:
            registry.check()
        return registry

    @classmethod
    def of(cls, plugins: Iterable[object]) -> Registry:
        """Take these plugin objects (modules, instances) only; raises what they raise."""
        offers: list[Offer] = []
        for plugin in plugins:
            name = getattr(plugin, "__name__", type(plugin).__name__)
            offers += collect(plugin, EntryPoint(name, "0", name, name, lambda: None))
        return cls(offers)

    @property
    def broken(self) -> dict[str, str]:
        """Why a plugin is not there, by distribution and entry point."""
        return {str(record): record.reason for record in self.plugins if record.troubled}

    def names(self, kind: str) -> list[str]:
        """Every name that `get` answers to, qualified where two plugins offer the same one."""
        offers = self.offers_of(kind)
        return sorted(self._spelling(offer, offers) for offer in offers)

    def get(self, kind: str, name: str) -> Component[Any]:
        """The component called `name` or `distribution:name`; see `offer`."""
        return self.offer(kind, name).component

    def offer(self, kind: str, name: str) -> Offer:
        """Who offers `name` or `distribution:name`, and what.

        Raises `UnknownComponentError` with the nearest names, or with the reason why the plugin
        that may offer it is not there; `PluginError` if two plugins offer it.
        """
        found = self.find(kind, name)
        if not found:
            raise self._unknown(kind, name)
        if len(found) > 1:
            raise _ambiguous(found)
        return found[0]

    def find(self, kind: str, name: str) -> list[Offer]:
        """All offers of that `name` or `distribution:name`; of a `Preset`, the built-in one."""
        distribution, _, short = name.rpartition(":")
        found = [
            offer
            for offer in self.offers_of(kind)
            if offer.component.name == short
            and (not distribution or normal(offer.distribution) == normal(distribution))
        ]
        built_in = [offer for offer in found if offer.built_in]
        return built_in if built_in and isinstance(name, Preset) else found

    def spelling(self, offer: Offer) -> str:
        """The shortest name that means this offer."""
        return self._spelling(offer, self.offers_of(offer.kind))

    def duplicates(self) -> list[PluginError]:
        """One error for each name of a kind that several plugins offer."""
        names = sorted({(offer.kind, offer.component.name) for offer in self.offers})
        groups = [self.find(kind, name) for kind, name in names]
        return [_ambiguous(group) for group in groups if len(group) > 1]

    def check(self) -> None:
        """Raise a `PluginError` that tells of every plugin in trouble, if there is one."""
        trouble = [f"{plugin}: {reason}" for plugin, reason in self.broken.items()]
        trouble += [error.message for error in self.duplicates()]
        if trouble:
            raise PluginError(
                "\n  ".join(["there is trouble with the installed plugins:", *trouble]),
                hint="repair or uninstall them, or unset VALL_E_STRICT_PLUGINS",
            )

    def offers_of(self, kind: str) -> list[Offer]:
        """Every component of that kind, and who offers it."""
        if kind not in HOOKS:
            raise ValueError(f"no kind of component is called {kind!r}: {', '.join(HOOKS)}")
        return [offer for offer in self.offers if offer.kind == kind]

    @staticmethod
    def _spelling(offer: Offer, offers: Sequence[Offer]) -> str:
        name = offer.component.name
        alone = sum(other.component.name == name for other in offers) == 1
        return name if alone else offer.qualified

    def _unknown(self, kind: str, name: str) -> UnknownComponentError:
        absent = [record for record in self.plugins if record.status != "ok"]
        for record in absent:
            if may_offer(record, kind, name):
                return UnknownComponentError(
                    f"no {kind} is called {name!r}: the plugin {record} that may offer it is "
                    f"{_state(record)}: {record.reason}",
                    hint="run `vall-e plugins doctor`, then repair or enable that plugin",
                )
        known = self.names(kind)
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"installed: {', '.join(known) or 'none'}"
        if absent:
            told = "; ".join(f"{record}: {record.reason}" for record in absent)
            hint += f" (plugins that are not loaded: {told})"
        return UnknownComponentError(f"no {kind} is called {name!r}", hint=hint)


def installed(
    distributions: Iterable[metadata.Distribution] | None = None,
) -> Iterable[EntryPoint]:
    """The plugins of each distribution; the first on the path hides others of the same name.

    `metadata.entry_points()` would not do: it does not say whose an entry point is.
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


def load(point: EntryPoint) -> tuple[list[Offer], PluginRecord]:
    """Import a plugin and call its hooks; a failure becomes the reason in its record."""
    start = perf_counter()
    offers: list[Offer] = []
    status: Status = "ok"
    reason = ""
    try:
        with redirect_stdout(sys.stderr):  # stdout may be a WAV file or JSON
            offers = collect(point.load(), point)
    except IncompatibleError as exc:
        status, reason = "incompatible", str(exc)
    except ImportError as exc:
        lacks = exc.name == "vall_e.plugin"  # the plugin wants a name of a newer one
        status = "incompatible" if lacks else "failed"
        reason = _told(exc) + (": update vall-e" if lacks else "")
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # a plugin can fail in any way: Rust's panics, say
        logger.debug("plugin %s", point.name, exc_info=True)
        status, reason = "failed", _told(exc)
    components = tuple(f"{offer.kind}:{offer.component.name}" for offer in offers)
    seconds = perf_counter() - start
    return offers, _record(point, status, reason, components=components, seconds=seconds)


def collect(plugin: object, point: EntryPoint) -> list[Offer]:
    """What this plugin offers, or raise what is wrong with it.

    Each plugin gets a manager of its own: in a common one, the first hook that raises ends the
    call for all, and the order of plugins would have a meaning.
    """
    _check_api("it", getattr(plugin, API_ATTRIBUTE, FIRST_API))
    manager = pluggy.PluginManager("vall_e")
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    _check_spelling(plugin, manager)
    offers: dict[tuple[str, str], Offer] = {}
    for kind, hook in HOOKS.items():
        for offered in getattr(manager.hook, hook)():
            for component in _components(hook, offered):
                if (kind, component.name) in offers:
                    raise ValueError(f"{hook} offers {component.name!r} twice")
                _check_config(kind, component)
                offer = Offer(kind, component, point.distribution, point.version, point.name)
                offers[kind, component.name] = offer
    return list(offers.values())


def _check_spelling(plugin: object, manager: pluggy.PluginManager) -> None:
    """Pluggy says nothing about a hook that is misspelt or not marked; it never calls it."""
    marked = {caller.name for caller in manager.get_hookcallers(plugin) or ()}
    named = {name for name in dir(plugin) if name.startswith("vall_e_register_")}
    for name in sorted((marked | named) - set(HOOKS.values())):
        near = get_close_matches(name, HOOKS.values(), n=1)
        meant = f", did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"no hook is called {name!r}{meant}")
    for name in sorted(named - marked):
        raise AttributeError(f"{name} is not marked with @hookimpl")
    if not marked:
        raise AttributeError("it has no function that is marked with @hookimpl")


def _components(hook: str, offered: object) -> Iterable[Component[Any]]:
    if not isinstance(offered, Iterable):
        raise TypeError(f"{hook} must return a list of components, got {offered!r}")
    for component in offered:
        if not isinstance(component, Component):
            raise TypeError(f"{hook} must return a list of components, found {component!r}")
        _check_api(repr(component.name), component.api)
        yield component


def _check_api(who: str, api: object) -> None:
    """Comes before a hook is looked at: a newer plugin has hooks and fields unknown to us."""
    if not _is_api(api):
        raise TypeError(f"{API_ATTRIBUTE} must be two numbers like (1, 0), got {api!r}")
    major, minor = api
    if major != HOOK_API[0] or minor > HOOK_API[1]:
        newer = (major, minor) > HOOK_API
        raise IncompatibleError(
            f"{who} needs hook API {major}.{minor}, this vall-e has "
            f"{HOOK_API[0]}.{HOOK_API[1]}: update {'vall-e' if newer else 'the plugin'}"
        )


def _is_api(api: object) -> TypeGuard[tuple[int, int]]:
    return isinstance(api, tuple) and len(api) == 2 and all(type(part) is int for part in api)


def _check_config(kind: str, component: Component[Any]) -> None:
    """What is wrong with a config class is its plugin's trouble, not that of who lists them all."""
    _check_types(component.config, set())
    fields = attrs.fields(component.config)
    if "name" in {attribute.alias or attribute.name for attribute in fields}:
        raise TypeError(f"{component.name!r} has an option called `name`, which names components")
    required = [a.name for a in fields if a.init and a.default is attrs.NOTHING]
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


def _told(exc: BaseException) -> str:
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
        """A plugin that is to be left out and is not there may be another one misspelt."""
        known = {normal(point.distribution) for point in points}
        for name in sorted(self.without - known - {CORE}):
            near = get_close_matches(name, known, n=1)
            meant = f", did you mean {near[0]!r}?" if near else ""
            logger.warning("VALL_E_DISABLE_PLUGINS names %r: no such plugin%s", name, meant)

    @property
    def wanted(self) -> frozenset[str]:
        """Those that the user asked for by name."""
        return (self.only or frozenset()) - self.without if self.load_plugins else frozenset()

    def excludes(self, distribution: str) -> str:
        """Why this distribution is left out, or nothing if it is not."""
        name = normal(distribution)
        if name == CORE:
            return ""
        if not self.load_plugins:
            return "--no-plugins leaves it out"
        if name in self.without:
            return "VALL_E_DISABLE_PLUGINS names it"
        if self.only is not None and name not in self.only:
            return "VALL_E_PLUGINS does not name it"
        return ""


def _record(
    point: EntryPoint,
    status: Status,
    reason: str,
    *,
    components: tuple[str, ...] = (),
    seconds: float = 0.0,
) -> PluginRecord:
    return PluginRecord(
        distribution=point.distribution,
        version=point.version,
        entry_point=point.name,
        module=point.module,
        status=status,
        reason=reason,
        components=components,
        seconds=seconds,
    )


def _ambiguous(offers: Sequence[Offer]) -> PluginError:
    first = offers[0]
    owners = sorted(f"{o.distribution} {o.version} ({o.entry_point})" for o in offers)
    names = sorted({offer.qualified for offer in offers})
    if len(names) == len(offers):
        hint = f"write {' or '.join(names)} to pick one"
    else:  # one distribution, two entry points: no spelling tells them apart
        hint = f"uninstall {first.distribution}, and tell its authors"
    count = {2: "two"}.get(len(offers), str(len(offers)))
    return PluginError(
        f"{count} plugins offer the {first.kind} {first.component.name!r}: {' and '.join(owners)}",
        hint=hint,
    )


def may_offer(record: PluginRecord, kind: str, name: str) -> bool:
    """Guess by names: what a plugin that did not load would have offered cannot be known."""
    distribution, _, short = name.rpartition(":")
    if distribution:
        return normal(record.distribution) == normal(distribution)
    plugin = normal(record.distribution)
    return short == normal(record.entry_point) or plugin in (short, f"vall-e-{kind}-{short}")


def _state(record: PluginRecord) -> str:
    return {"failed": "broken", "missing": "missing"}.get(record.status, record.status)


def _names(text: str) -> frozenset[str]:
    return frozenset(normal(name.strip()) for name in text.split(",") if name.strip())


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
