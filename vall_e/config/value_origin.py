"""Values with their origin: a line of a file, a variable, the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import define, frozen

__all__ = ["DEFAULT", "Node", "Scalar", "ValueOrigin", "Where"]

Scalar = None | bool | int | float | str
Where = tuple[str, ...]
"""The keys from the top down to a value; list entries are numbered from "0"."""


@frozen
class ValueOrigin:
    """Where a value was written. Relative paths start at `folder`, if there is one."""

    name: str
    line: int | None = None
    folder: Path | None = None

    def __str__(self) -> str:
        return f"{self.name}:{self.line}" if self.line else self.name


DEFAULT = ValueOrigin("default")


@define
class Node:
    """A value of a config file; its parts are nodes too."""

    value: Scalar | list[Node] | dict[str, Node]
    origin: ValueOrigin

    @classmethod
    def of(cls, raw: object, origin: ValueOrigin) -> Node:
        """Wrap plain data with a single origin."""
        if isinstance(raw, Mapping):
            return cls({str(key): cls.of(part, origin) for key, part in raw.items()}, origin)
        if isinstance(raw, Sequence) and not isinstance(raw, str):
            return cls([cls.of(part, origin) for part in raw], origin)
        return cls(raw, origin)  # type: ignore[arg-type]  # what is no scalar is told later

    def plain(self) -> object:
        """The data without the origins."""
        if isinstance(self.value, dict):
            return {key: part.plain() for key, part in self.value.items()}
        if isinstance(self.value, list):
            return [part.plain() for part in self.value]
        return self.value

    def over(self, other: Node) -> Node:
        """Merge two trees; where both have a value, this one's is used."""
        if self.value is None and isinstance(other.value, dict):
            return other  # a section whose options are all commented out
        if not (isinstance(self.value, dict) and isinstance(other.value, dict)):
            return self
        parts = {
            key: part.over(other.value[key]) if key in other.value else part
            for key, part in self.value.items()
        }
        return Node({**other.value, **parts}, self.origin)

    def find(self, where: Where) -> Node | None:
        """The node at `where`, if it was written."""
        node, depth = self.nearest(where)
        return node if depth == len(where) else None

    def nearest(self, where: Where) -> tuple[Node, int]:
        """The deepest node on the path to `where`, and how many keys lead to it."""
        node = self
        for depth, key in enumerate(where):
            part = node._part(key)
            if part is None:
                return node, depth
            node = part
        return node, len(where)

    def _part(self, key: str) -> Node | None:
        if isinstance(self.value, dict):
            return self.value.get(key)
        if isinstance(self.value, list) and key.isdecimal() and int(key) < len(self.value):
            return self.value[int(key)]
        if key == "name" and isinstance(self.value, str):
            return self  # `codec: encodec` is short for `codec: {name: encodec}`
        return None
