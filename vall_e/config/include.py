"""A YAML file and those that it includes. Torch-free.

`include: base.yaml`, or a list of files, at the top of a file: options of the file itself win over
those of the included ones, later files over earlier ones. Lists are replaced, not joined.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs

from vall_e.config.errors import Mistake
from vall_e.config.value_origin import Node, ValueOrigin
from vall_e.config.yaml_document import read
from vall_e.damaged_files import damage_as
from vall_e.errors import ConfigError

INCLUDE = "include"
MOST = 20
"""Files that one file may include, in all."""


def read_file(path: Path) -> tuple[Node, list[Mistake]]:
    """The options of a file, on top of those that it includes; paths count from their own file.

    Raises `ConfigError` for a file that cannot be read, that includes itself, or too many files.
    """
    return _Reader().read(path, ())


class _Reader:
    def __init__(self) -> None:
        self.count = 0

    def read(self, path: Path, including: tuple[Path, ...]) -> tuple[Node, list[Mistake]]:
        origin = ValueOrigin(str(path), folder=path.parent)
        tree, mistakes = read(_text(path), lambda line: attrs.evolve(origin, line=line))
        if not isinstance(tree.value, dict) or INCLUDE not in tree.value:
            return tree, mistakes
        included = tree.value.pop(INCLUDE)
        below = Node({}, tree.origin)
        for name, where in _names(included):
            below_it, more = self.read(
                self._checked(path.parent / Path(name).expanduser(), where, (*including, path)),
                (*including, path),
            )
            below, mistakes = below_it.over(below), mistakes + more
        return tree.over(below), mistakes

    def _checked(self, path: Path, where: ValueOrigin, including: tuple[Path, ...]) -> Path:
        with damage_as(ConfigError, str(where), what="cannot be a path", hint="name a YAML file"):
            resolved = path.resolve()
        if any(resolved == other.resolve() for other in including):
            chain = " -> ".join(str(other) for other in (*including, path))
            raise ConfigError(f"{where}: {chain} includes itself", hint="remove one of these lines")
        self.count += 1
        if self.count > MOST:
            raise ConfigError(
                f"{where}: more than {MOST} files are included", hint="join some of them"
            )
        return path


def _names(included: Node) -> Iterator[tuple[str, ValueOrigin]]:
    nodes = included.value if isinstance(included.value, list) else [included]
    for node in nodes:
        if not isinstance(node.value, str) or not node.value:
            raise ConfigError(
                f"{node.origin}: include names files, not {node.plain()!r}",
                hint="write include: base.yaml, or a list of files",
            )
        yield node.value, node.origin


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise ConfigError(
            f"{path} cannot be read: {exc.strerror}",
            hint="run `vall-e config init` to make a new file",
        ) from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(
            f"{path} is not UTF-8 text (byte {exc.start})", hint="save it as UTF-8"
        ) from exc
