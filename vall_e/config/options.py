"""The options of a config class, by key."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen

from vall_e.config.choices import Choice
from vall_e.config.field_metadata import CHOSEN, OR_NAME, PATH
from vall_e.errors import PluginError
from vall_e.registry import Preset

__all__ = ["Option", "a", "entry_type", "expected", "is_choice", "members", "options_of", "places"]


@frozen
class Option:
    """One field of a config class, as users see it."""

    key: str
    type: Any
    attribute: attrs.Attribute[Any]

    @property
    def chosen(self) -> Preset | list[Preset] | None:
        """The default component or components."""
        names: str | tuple[str, ...] | None = self.attribute.metadata.get(CHOSEN)
        if names is None:
            return None
        return Preset(names) if isinstance(names, str) else [Preset(name) for name in names]

    @property
    def is_path(self) -> bool:
        return bool(self.attribute.metadata.get(PATH))

    @property
    def may_be_name(self) -> bool:
        """Whether the path may also be the name of an installed model, or empty."""
        return self.attribute.metadata.get(PATH) == OR_NAME

    @property
    def required(self) -> bool:
        return self.attribute.default is attrs.NOTHING and self.chosen is None

    @property
    def default(self) -> Any:
        """The default as an object; `attrs.NOTHING` if it does not exist on its own."""
        default: Any = self.attribute.default
        if hasattr(default, "takes_self"):  # type checkers see attrs.Factory as a function
            return attrs.NOTHING if default.takes_self else default.factory()
        return default


def options_of(cls: type) -> dict[str, Option]:
    """The options of an attrs class by key, in the order in which the class has them."""
    if not attrs.has(cls):
        raise PluginError(
            f"the config class {cls.__module__}.{cls.__qualname__} is not an attrs class",
            hint="decorate it with attrs.frozen",
        )
    try:
        hints = get_type_hints(cls)
    except NameError as exc:
        raise PluginError(
            f"the types of {cls.__module__}.{cls.__qualname__} cannot be read: {exc}",
            hint="import them at run time, not under TYPE_CHECKING",
        ) from exc
    found = {}
    for attribute in attrs.fields(cls):
        if attribute.init:
            key = attribute.alias or attribute.name
            found[key] = Option(key, hints.get(attribute.name, Any), attribute)
    return found


def is_choice(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Choice)


def members(kind: Any) -> tuple[Any, ...]:
    """The alternatives of a union; for any other type, the type itself."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def entry_type(kind: Any) -> Any:
    """The type of a list's entries, or None if this is not a list (or holds several types)."""
    for member in members(kind):
        args = tuple(arg for arg in get_args(member) if arg is not Ellipsis)
        if get_origin(member) in (tuple, list) and len(set(args)) == 1:
            return args[0]
    return None


def places(cls: type, key: str) -> list[str]:
    """Sections below `cls` that have an option with this name, as `section.key`."""
    found = []
    for name, option in options_of(cls).items():
        if attrs.has(option.type) and not is_choice(option.type):
            found += [f"{name}.{place}" for place in places(option.type, key)]
        elif name == key:
            found.append(name)
    return found


def sections(cls: type) -> set[type]:
    """The class and all sections below it, without the options of components."""
    below = [o.type for o in options_of(cls).values() if attrs.has(o.type)]
    return {cls}.union(*(sections(section) for section in below if not is_choice(section)))


def a(kind: str) -> str:
    """The word with an indefinite article."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def expected(kind: Any) -> str:
    """A description of a value of this type, for messages."""
    if kind in _WORDS:
        return _WORDS[kind]
    if get_origin(kind) is Literal:
        values = get_args(kind)
        return "one of " + ", ".join(map(repr, values)) if len(values) > 1 else repr(values[0])
    if len(members(kind)) > 1:
        return " or ".join(expected(member) for member in members(kind))
    if is_choice(kind):
        return f"the name of {a(kind.kind)}, or a mapping with `name`"
    if get_origin(kind) in (tuple, list, set, frozenset):
        return "a list"
    return "a mapping"


_WORDS = types.MappingProxyType(
    {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        Path: "a path",
        type(None): "nothing",
        Any: "anything",
    }
)
