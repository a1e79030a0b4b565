"""Single values from the environment and the command line, which override the file.

`--set sampling.ar.top-p.p=0.8` and the variable `VALL_E__SAMPLING__AR__TOP_P__P=0.8` are equal.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from attrs import evolve, frozen

from vall_e.config.errors import Mistake, WrongValueError, meant
from vall_e.config.options import Option, entry_type, is_choice, members, options_of
from vall_e.config.structure import unstructure
from vall_e.config.value_origin import DEFAULT, Node, ValueOrigin, Where
from vall_e.config.yaml_document import read
from vall_e.errors import VallEError
from vall_e.registry import Registry

__all__ = ["PREFIX", "Override", "apply", "from_command_line", "from_environment"]

log = logging.getLogger(__name__)

PREFIX = "VALL_E__"
"""Prefix of variables that set options. (`VALL_E_PLUGINS` and others have one underscore.)"""


@frozen
class Override:
    """One value from outside the file."""

    where: Where
    text: str
    origin: ValueOrigin


def from_environment(environ: Mapping[str, str]) -> Iterator[Override]:
    """The values of variables, sections before their options."""
    for variable in sorted(environ):
        short = variable.removeprefix(PREFIX[:-1])
        if short != variable and "__" in short and not variable.startswith(PREFIX):
            log.warning("%s has no effect: did you mean %s?", variable, PREFIX + short)
        if variable.startswith(PREFIX):
            where = tuple(variable.removeprefix(PREFIX).lower().split("__"))
            yield Override(
                where, environ[variable], ValueOrigin(f"environment {variable}", folder=Path())
            )


def from_command_line(assignments: Sequence[str]) -> Iterator[Override]:
    """The values of each `--set a.b=c`, in their order."""
    for assignment in assignments:
        path, _, text = assignment.partition("=")
        where = tuple(path.strip().split(".")) if "=" in assignment else ()
        yield Override(where, text if where else assignment, ValueOrigin("--set", folder=Path()))


def apply(
    tree: Node, cls: type, overrides: Iterable[Override], registry: Registry
) -> list[Mistake]:
    """Change the tree of a `cls`; returns the mistakes in the overrides themselves.

    Unknown options are set too: they are reported together with those of the file.
    """
    mistakes: list[Mistake] = []
    for override in overrides:
        try:
            if not all(override.where) or not override.where:
                message = f"{override.text!r} is not of the form section.option=value"
                raise WrongValueError(Mistake(message))
            if not override.text.strip():
                place = ".".join(override.where)
                message = f"there is no value; write {place}=VALUE"
                raise WrongValueError(Mistake(f"{message} ('' is an empty text)"))
            value, wrong = read(override.text, lambda _, o=override: o.origin)  # type: ignore[misc]
            mistakes += [evolve(m, where=override.where) for m in wrong]
            _Setter(registry, value).put(tree, cls, override.where)
        except WrongValueError as exc:
            at = override.where
            mistakes += [evolve(m, where=at, origin=override.origin) for m in exc.mistakes]
    return mistakes


@frozen
class _Setter:
    registry: Registry
    value: Node

    def put(self, node: Node, kind: Any, where: Where) -> None:
        """Set the value at `where` below `node`, which has the type `kind` (None: unknown)."""
        kind = next((m for m in members(kind) if m is not type(None)), None)
        if isinstance(node.value, list):
            self._put_in_list(node.value, entry_type(kind), where)
        elif is_choice(kind):
            self._put_in_choice(node, kind, where)
        else:
            self._put_in_mapping(node, kind, where)

    def _put_in_mapping(self, node: Node, kind: Any, where: Where) -> None:
        if node.value is None:  # an empty section
            node.value = {}
        if not isinstance(node.value, dict):
            node.value, node.origin = {}, self.value.origin
        key, *rest = where
        option = _option(kind, key)
        if not rest:
            node.value[key] = self.value
            return
        if key not in node.value:
            node.value[key] = _default(option, self.value.origin)
        self.put(node.value[key], option.type if option else None, tuple(rest))

    def _put_in_choice(self, node: Node, kind: Any, where: Where) -> None:
        if isinstance(node.value, str):
            node.value = {"name": Node(node.value, node.origin)}
        if where == ("name",):  # options differ between components
            node.value, node.origin = {"name": self.value}, self.value.origin
            return
        name = node.find(("name",))
        config: type | None = None
        if name is not None and isinstance(name.value, str):
            try:
                config = self.registry.get(kind.kind, name.value).config
            except VallEError:
                config = None  # the name is reported with the mistakes of the file
        self._put_in_mapping(node, config, where)

    def _put_in_list(self, entries: list[Node], entry: Any, where: Where) -> None:
        key, *rest = where
        index = _index(entries, key, by_name=is_choice(entry))
        if rest:
            self.put(entries[index], entry, tuple(rest))
        else:
            entries[index] = self.value


def _option(kind: Any, key: str) -> Option | None:
    return options_of(kind).get(key) if isinstance(kind, type) and attrs.has(kind) else None


def _default(option: Option | None, origin: ValueOrigin) -> Node:
    """What an override starts from if the file has no value: for a section, an empty section."""
    if option is not None and option.chosen is not None:
        return Node.of(option.chosen, DEFAULT)
    if option is not None and isinstance(option.default, (list, tuple)):
        return Node.of(unstructure(option.default), DEFAULT)
    return Node({}, origin)


def _index(entries: Sequence[Node], key: str, *, by_name: bool) -> int:
    """The index of an entry, given the name of its component or a number from 0."""
    if key.isdecimal() and int(key) < len(entries):
        return int(key)
    if not by_name:
        raise WrongValueError(Mistake(f"there is no entry {key!r}; the list has {len(entries)}"))
    nodes = [entry.find(("name",)) for entry in entries]
    names = [str(node.value) if node else "" for node in nodes]
    # Names of variables cannot contain a hyphen.
    found = [i for i, name in enumerate(names) if key in (name, name.replace("-", "_"))]
    if not found:
        near = meant(key, names) or f"; available: {', '.join(names) or 'none'}"
        raise WrongValueError(Mistake(f"there is no entry called {key!r}{near}"))
    if len(found) > 1:
        numbers = ", ".join(map(str, found))
        raise WrongValueError(Mistake(f"{len(found)} are called {key!r}; use a number: {numbers}"))
    return found[0]
