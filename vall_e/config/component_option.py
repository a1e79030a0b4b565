"""A component named on the command line. Torch-free."""

from __future__ import annotations

from typing import TypeVar

from vall_e.config.choices import Choice
from vall_e.config.errors import InvalidConfigError, WrongValueError, located
from vall_e.config.structure import Structurer
from vall_e.config.value_origin import ValueOrigin
from vall_e.config.yaml_document import read
from vall_e.registry import Registry

C = TypeVar("C", bound=Choice)


def choose(text: str, kind: type[C], registry: Registry, *, source: str) -> C:
    """Parse `name`, or `{name: ..., option: ...}` in YAML. Raises `ConfigError`."""
    tree, mistakes = read(text, lambda _: ValueOrigin(source))
    if not mistakes:
        try:
            return Structurer(registry).structure(tree.plain(), kind)
        except WrongValueError as exc:
            mistakes = list(exc.mistakes)
    raise InvalidConfigError(located(mistakes, tree), source=source)
