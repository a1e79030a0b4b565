"""From a YAML file, the environment and the command line to one `RunConfig`, and back.

Later sources win: defaults, the file, the environment, `--set`. Nothing is kept between calls, and
nothing is read beyond the arguments.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs
from attrs import frozen

from vall_e.config import override
from vall_e.config.choices import Choice
from vall_e.config.errors import InvalidConfigError, Mistake, WrongValueError, located
from vall_e.config.field_metadata import is_name
from vall_e.config.include import read_file
from vall_e.config.options import options_of
from vall_e.config.requirements import check_requirements
from vall_e.config.schema import RunConfig
from vall_e.config.structure import Structurer, unstructure
from vall_e.config.value_origin import DEFAULT, Node, ValueOrigin, Where
from vall_e.registry import Registry

__all__ = [
    "Inherited",
    "Loaded",
    "change",
    "load",
    "load_with_origins",
    "structure",
    "unstructure",
    "without_folders",
]

V = TypeVar("V")
Inherited = Callable[[str, Path], Node]
"""Options inherited, given the values of `training.start_from` and `training.output`."""


@frozen
class Loaded:
    """A configuration, and where each of its values comes from."""

    config: RunConfig
    tree: Node

    def origin(self, where: Where) -> ValueOrigin:
        """The file and line, variable or `--set` that a value comes from; otherwise the default."""
        node = self.tree.find(where)
        return DEFAULT if node is None else node.origin


def load(
    path: Path | None,
    registry: Registry,
    *,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> RunConfig:
    """Read a run's YAML file (None: the defaults), or raise one error that lists all mistakes.

    Returned paths are absolute: those of the file and the defaults are relative to the file's
    folder, others to the working directory.
    """
    return load_with_origins(path, registry, overrides=overrides, environ=environ).config


def load_with_origins(
    path: Path | None,
    registry: Registry,
    *,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    inherited: Inherited | None = None,
) -> Loaded:
    """Like `load`, with the origin of each value. `inherited` options replace defaults.

    Only a run that starts from other weights inherits options.
    """
    if path is None:
        tree = Node({}, attrs.evolve(DEFAULT, folder=Path()))
        return _finish(tree, [], registry, overrides, environ, inherited, source="defaults")
    tree, mistakes = read_file(path)
    return _finish(tree, mistakes, registry, overrides, environ, inherited, source=str(path))


def change(
    config: RunConfig,
    registry: Registry,
    *,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    source: str = "config",
) -> RunConfig:
    """A copy of `config`, changed by the overrides and the environment.

    For a configuration without a file, such as a checkpoint's; messages name it `source`.
    """
    tree = Node.of(unstructure(config), ValueOrigin(source))
    return _finish(tree, [], registry, overrides, environ, source=source).config


def structure(raw: object, registry: Registry, *, source: str = "config") -> RunConfig:
    """A configuration from plain data, as made by `unstructure`. Paths are left unchanged.

    A bare name means the built-in component of that name, whatever else is installed.
    """
    return _structure(Node.of(raw, ValueOrigin(source)), [], registry, source, saved=True)


def without_folders(config: RunConfig) -> RunConfig:
    """The configuration with only the last part of each path, for distribution with weights."""
    return _with_paths(config, lambda _, path: Path(path).name)


def _finish(
    tree: Node,
    mistakes: list[Mistake],
    registry: Registry,
    overrides: Sequence[str],
    environ: Mapping[str, str] | None,
    inherited: Inherited | None = None,
    *,
    source: str,
) -> Loaded:
    given = [
        *override.from_environment(environ or {}),
        *override.from_command_line(overrides),
    ]
    if tree.value is None:
        tree.value = {}
    if inherited is not None:
        tree = _over_inherited(tree, given, registry, inherited)
    mistakes = mistakes + override.apply(tree, RunConfig, given, registry)
    config = _structure(tree, mistakes, registry, source)
    return Loaded(_with_paths(config, lambda where, path: _absolute(tree, where, path)), tree)


def _absolute(tree: Node, where: Where, path: str) -> str:
    """A path of a config, resolved against its base folder."""
    node = tree.find(where)
    origin = tree.origin if node is None or node.origin is DEFAULT else node.origin
    if origin.folder is None:
        return path
    return os.path.abspath(origin.folder / Path(path).expanduser())


def _over_inherited(
    tree: Node, given: Sequence[override.Override], registry: Registry, inherited: Inherited
) -> Node:
    """The tree on top of the inherited options. Overrides may change what is inherited from."""
    final = copy.deepcopy(tree)
    override.apply(final, RunConfig, given, registry)  # its mistakes are reported later

    def text(key: str) -> str:
        node = final.find(("training", key))
        return node.value if node is not None and isinstance(node.value, str) else ""

    start, output = text("start_from"), text("output")
    if not start:
        return tree
    if not is_name(start):
        start = _absolute(final, ("training", "start_from"), start)
    return tree.over(inherited(start, Path(_absolute(final, ("training", "output"), output))))


def _structure(
    tree: Node,
    mistakes: list[Mistake],
    registry: Registry,
    source: str,
    *,
    saved: bool = False,
) -> RunConfig:
    """The config, if neither it nor earlier steps have mistakes."""
    check_requirements(tree.plain(), source=source)
    found = located(mistakes, tree)
    try:
        config = Structurer(registry, saved=saved).structure(tree.plain(), RunConfig)
    except WrongValueError as exc:
        # What could not be read is missing here, but that is not a mistake of its own.
        unread = {mistake.origin for mistake in found}
        more = [m for m in located(exc.mistakes, tree) if m.origin not in unread]
        found = located([*found, *more], tree)
    if found:
        raise InvalidConfigError(found, source=source)
    return config


def _with_paths(value: V, new: Callable[[Where, str], str]) -> V:
    """A copy with every path replaced by `new(place, path)`."""
    result: V = _replaced(value, (), new, marked=False)
    return result


def _replaced(value: Any, where: Where, new: Callable[[Where, str], str], *, marked: bool) -> Any:
    if isinstance(value, Choice):
        return attrs.evolve(value, options=_replaced(value.options, where, new, marked=False))
    if attrs.has(type(value)):
        changes = {}
        for key, option in options_of(type(value)).items():
            old = getattr(value, option.attribute.name)
            named = option.may_be_name and is_name(old)
            marked = option.is_path and old != "" and not named
            changed = _replaced(old, (*where, key), new, marked=marked)
            if changed is not old:
                changes[key] = changed
        return attrs.evolve(value, **changes)
    if isinstance(value, (tuple, list)):
        parts = enumerate(value)
        return type(value)(_replaced(v, (*where, str(i)), new, marked=marked) for i, v in parts)
    if isinstance(value, Path):
        return Path(new(where, str(value)))
    return new(where, value) if marked and isinstance(value, str) else value
