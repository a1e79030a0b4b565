"""Plain data to a config class: strict about types and keys; reports all mistakes, not just one.

cattrs finds the hook for a type; the hooks are ours, because its own coerce (`bool("false")` is
True, `int(2.9)` is 2) and stop at the first failed attrs validator.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
import cattrs

from vall_e.config.choices import Choice
from vall_e.config.errors import Gathered, Mistake, WrongValueError, meant, reason
from vall_e.config.options import (
    Option,
    a,
    expected,
    is_choice,
    members,
    options_of,
    places,
    sections,
)
from vall_e.config.schema import RunConfig
from vall_e.errors import PluginError, VallEError
from vall_e.registry import CORE, Preset, Registry

__all__ = ["Structurer", "unstructure"]

T = TypeVar("T")
SCALARS = (bool, int, float, str, Path)
LISTS = (tuple, list, set, frozenset, Sequence)
SETS = (set, frozenset)
MAX_FLOAT = sys.float_info.max


class Structurer:
    """Creates config objects, with components from one registry."""

    def __init__(self, registry: Registry, *, saved: bool = False) -> None:
        """`saved`: the names were not written by a user just now, so they are `Preset`s."""
        self._registry = registry
        self._saved = saved
        self._converter = cattrs.Converter(detailed_validation=False, forbid_extra_keys=True)
        hook = self._converter.register_structure_hook_func
        # cattrs tries the last one first.
        hook(attrs.has, self._record)
        hook(is_choice, self._choice)
        hook(lambda kind: len(members(kind)) > 1, self._union)
        hook(lambda kind: _shape(kind) == "list", self._list)
        hook(_is_map, self._map)
        hook(_is_literal, self._literal)
        hook(_is_enum, self._enum)
        for scalar in SCALARS:  # registered by class; otherwise cattrs' own hooks take precedence
            self._converter.register_structure_hook(scalar, _scalar)
        self._converter.register_structure_hook(type(None), _nothing)

    def structure(self, raw: object, kind: type[T]) -> T:
        """Convert plain data to a `kind`, or raise a `WrongValueError` with all mistakes."""
        try:
            made: T = self._converter.structure(raw, kind)
        except cattrs.StructureHandlerNotFoundError as exc:
            raise PluginError(
                f"no YAML value can become a {kind}",
                hint="the author of the config class must give the option another type",
            ) from exc
        return made

    def _record(self, raw: object, cls: type) -> Any:
        raw = {} if raw is None else raw  # a section whose options are all commented out
        if not isinstance(raw, Mapping):
            raise _wrong(cls, raw)
        options, gathered, values = options_of(cls), Gathered(), {}
        for key in raw:
            if key not in options:
                gathered.mistakes.append(Mistake(_unknown(key, cls), (str(key),)))
        for key, option in options.items():
            with gathered.under(key):
                if key in raw or option.required or option.chosen is not None:
                    values[key] = self.structure(_given(raw, option), option.type)
        return _build(cls, options, values, gathered)

    def _choice(self, raw: object, cls: type[Choice]) -> Choice:
        if not isinstance(raw, (str, Mapping)):
            raise _wrong(cls, raw)
        options = {"name": raw} if isinstance(raw, str) else dict(raw)
        gathered = Gathered()
        with gathered.under("name"):
            if "name" not in options:
                known = ", ".join(self._registry.names(cls.kind))
                raise WrongValueError(Mistake(f"missing; name {a(cls.kind)}: {known}"))
            name = options.pop("name")
            if not isinstance(name, Preset):
                name = self.structure(name, str)
                name = Preset(name) if self._saved and ":" not in name else name
            offer = self._registry.offer(cls.kind, name)
            name = self._registry.spelling(offer) if isinstance(name, Preset) else name
        if gathered.mistakes and isinstance(raw, str):
            raise WrongValueError(*(attrs.evolve(m, where=()) for m in gathered.mistakes))
        gathered.check()
        made = self.structure(options, offer.component.config)
        return cls(offer.component, made, name=name, owner=offer.distribution)

    def _union(self, raw: object, kind: Any) -> Any:
        if raw is None and type(None) in members(kind):
            return None
        fitting = [member for member in members(kind) if _shape(member) == _shape_of(raw)]
        if len(fitting) == 1:
            return self.structure(raw, fitting[0])
        for member in fitting:
            try:
                return self.structure(raw, member)
            except WrongValueError:
                continue
        raise _wrong(kind, raw)

    def _list(self, raw: object, kind: Any) -> Any:
        if not isinstance(raw, (list, tuple)):
            raise _wrong(kind, raw, "; put it in [brackets]" if _shape_of(raw) == "scalar" else "")
        args = get_args(kind) or (Any, ...)
        if get_origin(kind) is tuple and args[-1] is not Ellipsis:
            if len(raw) != len(args):
                raise WrongValueError(
                    Mistake(f"expected a list of {len(args)}, got {len(raw)}: {_shown(raw)}")
                )
            types = args
        else:
            types = (args[0],) * len(raw)
        gathered, parts = Gathered(), []
        for index, (part, part_type) in enumerate(zip(raw, types, strict=True)):
            with gathered.under(str(index)):
                parts.append(self.structure(part, part_type))
        gathered.check()
        container = get_origin(kind) or kind
        return parts if container is list else (container if container in SETS else tuple)(parts)

    def _map(self, raw: object, kind: Any) -> Any:
        if not isinstance(raw, Mapping):
            raise _wrong(kind, raw)
        key_type, value_type = get_args(kind) or (str, Any)
        gathered, parts = Gathered(), {}
        for key, value in raw.items():
            with gathered.under(str(key)):
                parts[self.structure(key, key_type)] = self.structure(value, value_type)
        gathered.check()
        return parts

    def _literal(self, raw: object, kind: Any) -> Any:
        for value in get_args(kind):
            if raw == value and type(raw) is type(value):  # True == 1
                return value
        raise _wrong(kind, raw, meant(raw, map(str, get_args(kind))))

    def _enum(self, raw: object, kind: type[enum.Enum]) -> enum.Enum:
        values = tuple(member.value for member in kind)
        return kind(self._literal(raw, Literal[values]))


def unstructure(value: Any, *, owners: bool = False) -> Any:
    """Convert a config object to plain data for YAML or JSON; `structure` restores an equal object.

    With `owners`, for long-term storage: components that are not built in are named with their
    distribution, since a later vall-e or another plugin may use the same name.
    """
    if isinstance(value, Choice):
        return {"name": _name(value, owners), **unstructure(value.options, owners=owners)}
    if attrs.has(type(value)):
        options = options_of(type(value))
        parts = {key: getattr(value, option.attribute.name) for key, option in options.items()}
        return {key: unstructure(part, owners=owners) for key, part in parts.items()}
    if isinstance(value, Mapping):
        return {key: unstructure(part, owners=owners) for key, part in value.items()}
    if isinstance(value, SETS):
        return sorted(unstructure(part, owners=owners) for part in value)
    if isinstance(value, (list, tuple)):
        return [unstructure(part, owners=owners) for part in value]
    if isinstance(value, enum.Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def _name(choice: Choice, owners: bool) -> str:
    if not owners or not choice.owner:
        return choice.name
    name = choice.component.name
    return name if choice.owner == CORE else f"{choice.owner}:{name}"


def _given(raw: Mapping[str, Any], option: Option) -> object:
    """The value in the file, or the default."""
    if option.key not in raw:
        if option.chosen is not None:
            return option.chosen
        if attrs.has(option.type) and not is_choice(option.type):
            return {}  # missing options are reported inside it
        raise WrongValueError(Mistake(f"missing, expected {expected(option.type)}"))
    value = raw[option.key]
    if isinstance(option.chosen, str) and isinstance(value, Mapping) and "name" not in value:
        return {"name": option.chosen, **value}
    return value


def _build(
    cls: type, options: Mapping[str, Option], values: Mapping[str, Any], gathered: Gathered
) -> Any:
    """Call the class; if that fails or is impossible, run each validator separately."""
    said: str | None = None
    if not gathered.mistakes:
        try:
            return cls(**values)
        except (ValueError, TypeError, VallEError) as exc:
            said = reason(exc)
    trial: Any = object.__new__(cls)
    for key, option in options.items():
        value = values.get(key, option.default)
        if value is not attrs.NOTHING:
            object.__setattr__(trial, option.attribute.name, value)
    for key, value in values.items():
        attribute = options[key].attribute
        if attribute.validator is None or attribute.converter is not None:
            continue
        try:
            attribute.validator(trial, attribute, value)
        except AttributeError:
            continue  # it depends on another option, which is wrong itself
        except (ValueError, TypeError, VallEError) as exc:
            message = reason(exc).removeprefix(f"'{attribute.name}' ")
            gathered.mistakes.append(Mistake(message, (key,)))
    if said is not None and not gathered.mistakes:
        raise WrongValueError(Mistake(said))
    gathered.check()
    raise AssertionError("a class that could not be made must have a mistake")


def _unknown(key: object, cls: type) -> str:
    """Options of components are not suggested for other sections, even if the name is the same."""
    options = options_of(cls)
    near = meant(key, options)
    if near or not options:
        return f"unknown key{near or '; there are no options here'}"
    elsewhere = places(RunConfig, str(key)) if cls in sections(RunConfig) else []
    if elsewhere:
        places_of_it = [
            f"'{place}'" + ("" if "." in place else " at the top") for place in elsewhere
        ]
        return f"unknown key, did you mean {' or '.join(places_of_it)}?"
    return f"unknown key; available: {', '.join(options)}"


def _scalar(raw: Any, kind: type) -> Any:
    if kind is float and type(raw) in (int, float):
        if not abs(raw) <= MAX_FLOAT:  # false for nan too
            raise WrongValueError(Mistake(f"expected a finite number, got {_shown(raw)}"))
        return float(raw)
    if kind is Path and type(raw) is str:
        return Path(raw)
    if type(raw) is not kind:  # not isinstance: True is an int too
        raise _wrong(kind, raw, _how_to_write(raw, kind))
    return raw


def _nothing(raw: object, kind: Any) -> None:
    if raw is not None:
        raise _wrong(kind, raw)


def _how_to_write(raw: object, kind: type) -> str:
    """A correction, if the intention is clear."""
    if kind in (str, Path) and _shape_of(raw) == "scalar" and raw is not None:
        return "; put it in quotes"
    if kind is int and isinstance(raw, float) and raw.is_integer():
        return f"; write {int(raw)}"
    if kind is bool and str(raw).lower() in ("yes", "on", "y", "1", "true"):
        return "; write true"
    if kind is bool and str(raw).lower() in ("no", "off", "n", "0", "false"):
        return "; write false"
    if kind in (int, float) and isinstance(raw, str):
        try:
            number = kind(raw)
        except ValueError:
            return ""
        return f"; write {number}" if abs(number) <= MAX_FLOAT else ""
    return ""


def _wrong(kind: Any, raw: object, more: str = "") -> WrongValueError:
    return WrongValueError(Mistake(f"expected {expected(kind)}, got {_shown(raw)}{more}"))


def _shown(raw: object) -> str:
    """A value approximately as written; long ones are cut."""
    if raw is None:
        return "nothing"
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, Mapping):
        return "a mapping"
    text = repr(list(raw) if isinstance(raw, tuple) else raw)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _shape_of(raw: object) -> str:
    if isinstance(raw, Mapping):
        return "mapping"
    return "list" if isinstance(raw, (list, tuple)) else "scalar"


def _shape(kind: Any) -> str:
    if get_origin(kind) in LISTS or kind in LISTS:
        return "list"
    return "mapping" if _is_map(kind) or attrs.has(kind) else "scalar"


def _is_map(kind: Any) -> bool:
    return (get_origin(kind) or kind) in (dict, Mapping)


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)
