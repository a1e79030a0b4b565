"""Looks up the components that plugins offer, by kind and name.

Plugins are found and checked in `vall_e.discovery`; one that failed there does not affect the
others: its reason is reported when one of its components is requested.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Generic, Literal, TypeGuard, TypeVar, get_args

import attrs
from attrs import field, frozen, validators

from vall_e.errors import PluginError, UnknownComponentError
from vall_e.interfaces.trial import Trial

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
        "normalizer": "vall_e_register_normalizers",
        "phonemizer": "vall_e_register_phonemizers",
        "engine": "vall_e_register_engines",
        "tracker": "vall_e_register_trackers",
        "exporter": "vall_e_register_exporters",
        "model": "vall_e_register_models",
        "judge": "vall_e_register_judges",
        "transcriber": "vall_e_register_transcribers",
        "embedder": "vall_e_register_embedders",
        "store": "vall_e_register_stores",
        "data-engine": "vall_e_register_data_engines",
        "strategy": "vall_e_register_strategies",
        "audio-effect": "vall_e_register_audio_effects",
        "command": "vall_e_register_commands",
    }
)
"""The kinds of components, and the hook for each."""

CORE = "vall-e"
"""The distribution with the built-in components: it loads whatever else is disabled."""

FIRST_API = (1, 0)
"""The hook API of a plugin that does not declare one."""

Use = Literal["training", "speaking", "both"]
Status = Literal["ok", "failed", "incompatible", "disabled", "missing"]


def _component_name(_: object, __: object, name: str) -> None:
    if not (isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9-]*", name)):
        raise ValueError(
            f"{name!r} is not a valid component name: small letters, digits, hyphens, a letter "
            "first"
        )


def _other_names(component: Component[Any], _: object, names: tuple[str, ...]) -> None:
    if not isinstance(names, tuple) or component.name in names:
        raise TypeError(f"aliases of {component.name!r} must be a tuple of other names: {names!r}")
    for name in names:
        _component_name(None, None, name)


def _attrs_class(component: Component[Any], _: object, config: type) -> None:
    if not (isinstance(config, type) and attrs.has(config)):
        raise TypeError(f"config of {component.name!r} must be an attrs class, got {config!r}")


def _api_version(component: Component[Any], _: object, api: object) -> None:
    if not is_api(api):
        raise TypeError(f"api of {component.name!r} must be two numbers like (1, 0), got {api!r}")


def _its_options(component: Component[Any], _: object, names: tuple[str, ...]) -> None:
    known = {a.alias or a.name for a in attrs.fields(component.config)}
    if not isinstance(names, tuple) or not known.issuperset(names):
        raise TypeError(f"fixed of {component.name!r} must be a tuple of its options: {names!r}")


text = validators.instance_of(str)


class Preset(str):
    """A bare name not written by the user just now: a default, or from a saved configuration.

    If two plugins offer it, the built-in one is meant; otherwise installing a plugin would break
    configurations that do not use it.
    """

    __slots__ = ()


@frozen
class Component(Generic[C]):
    """Something that a user can name in a config file."""

    name: str = field(validator=_component_name)
    """The name that users write, e.g. `gru`."""
    config: type[C] = field(validator=_attrs_class)
    """Attrs class of the further options. Importable without torch."""
    build: Callable[..., Any] = field(validator=validators.is_callable())
    """Builds the object from an instance of `config`; imports torch itself."""
    summary: str = field(validator=text)
    """One line for `vall-e plugins list`."""
    paper: str = field(default="", validator=text)
    """URL of the source paper, if there is one."""
    api: tuple[int, int] = field(default=FIRST_API, validator=_api_version)
    """The hook API that it needs, if different from its module's `vall_e_hook_api`."""
    code_license: str = field(default="Apache-2.0", validator=text)
    weights_license: str = field(default="", validator=text)
    """Licence of the weights that `build` loads; empty if it loads none."""
    used_in: Use = field(default="both", validator=validators.in_(get_args(Use)))
    """For a wrapper: whether it can be used in training, synthesis or both."""
    fixed: tuple[str, ...] = field(default=(), validator=_its_options)
    """For an optimizer: the options that determine its state. They cannot change in a resumed
    run."""
    aliases: tuple[str, ...] = field(default=(), validator=_other_names, kw_only=True)
    """Older names that files and commands may still use. They are not listed."""
    trial: Trial = field(factory=Trial, hash=False, validator=validators.instance_of(Trial))
    """Information for its contract tests: options of a small one, laws that it cannot follow."""


@frozen
class Offer:
    """A component, and the plugin that offers it."""

    kind: str
    component: Component[Any]
    distribution: str
    version: str
    entry_point: str

    @property
    def qualified(self) -> str:
        """A name that is unique even if another plugin offers the same one."""
        return f"{self.distribution}:{self.component.name}"

    @property
    def built_in(self) -> bool:
        return normal(self.distribution) == CORE


@frozen
class PluginRecord:
    """The state of one entry point."""

    distribution: str
    version: str
    entry_point: str
    module: str
    status: Status
    reason: str = ""
    """Why it is not `ok`."""
    components: tuple[str, ...] = ()
    """As `kind:name`."""
    deprecations: tuple[str, ...] = ()
    """What its authors should change before a later hook API."""
    seconds: float = 0.0
    """Time to import it and call its hooks."""

    @property
    def troubled(self) -> bool:
        return self.status not in ("ok", "disabled")

    def __str__(self) -> str:
        point = f" ({self.entry_point})" if self.entry_point else ""
        return f"{self.distribution} {self.version}".strip() + point


class Registry:
    """Components by kind and name. Created once, then only read."""

    def __init__(
        self,
        offers: Iterable[Offer],
        plugins: Iterable[PluginRecord] = (),
        *,
        commercial: bool = False,
    ) -> None:
        self.offers = tuple(offers)
        self.plugins = tuple(plugins)
        self.commercial = commercial
        """Whether components without a commercial licence are refused."""

    @property
    def broken(self) -> dict[str, str]:
        """Why a plugin is missing, by distribution and entry point."""
        return {str(record): record.reason for record in self.plugins if record.troubled}

    def names(self, kind: str) -> list[str]:
        """Every name that `get` accepts, qualified if two plugins offer the same one."""
        offers = self.offers_of(kind)
        return sorted(self._spelling(offer, offers) for offer in offers)

    def get(self, kind: str, name: str) -> Component[Any]:
        """The component called `name` or `distribution:name`; see `offer`."""
        return self.offer(kind, name).component

    def offer(self, kind: str, name: str) -> Offer:
        """The plugin that offers `name` or `distribution:name`, with the component.

        `UnknownComponentError` has the nearest names, or the reason why the plugin that may offer
        it is missing; `PluginError` means that two plugins offer it, or that its licence forbids
        the use required by `commercial`.
        """
        found = self.find(kind, name)
        if not found:
            raise self._unknown(kind, name)
        if len(found) > 1:
            raise _ambiguous(found)
        [offer] = found
        if self.commercial:
            check_commercial(offer)
        return offer

    def find(self, kind: str, name: str) -> list[Offer]:
        """All offers of that `name` or `distribution:name`; of a `Preset`, the built-in one.

        A component with the name comes before one with the name as an alias. Other programs write
        `_` and brackets: `mem_efficient` is `mem-efficient`, `flash_(sdpa)` is `flash-sdpa`.
        """
        distribution, _, short = name.rpartition(":")
        offers = [
            offer
            for offer in self.offers_of(kind)
            if not distribution or normal(offer.distribution) == normal(distribution)
        ]
        found = _called(short, offers) or _called(_with_hyphens(short), offers)
        built_in = [offer for offer in found if offer.built_in]
        return built_in if built_in and isinstance(name, Preset) else found

    def spelling(self, offer: Offer) -> str:
        """The shortest unique name of this offer."""
        return self._spelling(offer, self.offers_of(offer.kind))

    def duplicates(self) -> list[PluginError]:
        """One error for each name of a kind that several plugins offer."""
        names = sorted({(offer.kind, offer.component.name) for offer in self.offers})
        groups = [self.find(kind, name) for kind, name in names]
        return [_ambiguous(group) for group in groups if len(group) > 1]

    def check(self) -> None:
        """Raise a `PluginError` that lists every plugin with a problem, if there is one."""
        trouble = [f"{plugin}: {reason}" for plugin, reason in self.broken.items()]
        trouble += [error.message for error in self.duplicates()]
        if trouble:
            raise PluginError(
                "\n  ".join(["there are problems with installed plugins:", *trouble]),
                hint="repair or uninstall them, or unset VALL_E_STRICT_PLUGINS",
            )

    def offers_of(self, kind: str) -> list[Offer]:
        """Every component of that kind, with the plugin that offers it."""
        if kind not in HOOKS:
            raise ValueError(f"there is no kind of component called {kind!r}: {', '.join(HOOKS)}")
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
                    f"there is no {kind} called {name!r}; the plugin {record}, which may offer "
                    "it, is "
                    f"{_state(record)}: {record.reason}",
                    hint="run `vall-e plugins doctor`, then repair or enable that plugin",
                )
        known = self.names(kind)
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"installed: {', '.join(known) or 'none'}"
        if absent:
            told = "; ".join(f"{record}: {record.reason}" for record in absent)
            hint += f" (plugins that are not loaded: {told})"
        return UnknownComponentError(f"there is no {kind} called {name!r}", hint=hint)


def _called(name: str, offers: Sequence[Offer]) -> list[Offer]:
    """Those of this name, or else those with this alias."""
    named = [offer for offer in offers if offer.component.name == name]
    return named or [offer for offer in offers if name in offer.component.aliases]


def _with_hyphens(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _ambiguous(offers: Sequence[Offer]) -> PluginError:
    first = offers[0]
    owners = sorted(f"{o.distribution} {o.version} ({o.entry_point})" for o in offers)
    names = sorted({offer.qualified for offer in offers})
    if len(names) == len(offers):
        hint = f"write {' or '.join(names)} to choose one"
    else:  # one distribution, two entry points: no name is unique
        hint = f"uninstall {first.distribution}, and report this to its authors"
    count = {2: "two"}.get(len(offers), str(len(offers)))
    return PluginError(
        f"{count} plugins offer the {first.kind} {first.component.name!r}: {' and '.join(owners)}",
        hint=hint,
    )


def check_commercial(offer: Offer) -> None:
    """Raise a `PluginError` if code or weights are not clearly licensed for commercial use.

    A licence is judged by its text: a restriction to non-commercial use, or that it is unknown.
    """
    component = offer.component
    for what, license_ in (
        ("code", component.code_license),
        ("weights", component.weights_license),
    ):
        if _FORBIDDING.search(license_):
            raise PluginError(
                f"{offer.kind} {component.name}: the licence of its {what} is {license_}, "
                "but only components for commercial use are allowed",
                hint="choose another one (`vall-e plugins list` shows licences), or leave out "
                "--commercial",
            )


_FORBIDDING = re.compile(
    r"\bNC\b|non-?commercial|research|not stated|unknown|NOASSERTION", re.IGNORECASE
)


def may_offer(record: PluginRecord, kind: str, name: str) -> bool:
    """Guess by names: it is unknown what a plugin that did not load would have offered."""
    distribution, _, short = name.rpartition(":")
    if distribution:
        return normal(record.distribution) == normal(distribution)
    plugin = normal(record.distribution)
    return short == normal(record.entry_point) or plugin in (short, f"vall-e-{kind}-{short}")


def _state(record: PluginRecord) -> str:
    return {"failed": "broken", "missing": "missing"}.get(record.status, record.status)


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_api(api: object) -> TypeGuard[tuple[int, int]]:
    """Whether it is a version of the hook API, as (1, 0)."""
    return isinstance(api, tuple) and len(api) == 2 and all(type(part) is int for part in api)
