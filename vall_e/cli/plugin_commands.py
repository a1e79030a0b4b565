"""The installed plugins that may offer commands, found without importing any of them.

`vall-e --help` needs them, and must not get slower with each installed plugin: importing a
hundred is slow, and so is `importlib.metadata`, which parses metadata like e-mail.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path

HOOK = b"vall_e_register_commands"
ANY_HOOK = b"vall_e_register_"
SECTION = "[vall_e]"
CORE = "vall_e"


def folders_with_commands(path: Sequence[str] | None = None) -> list[Path] | None:
    """The metadata folders of plugins that may offer commands; None if only loading can tell.

    A plugin is skipped if its module is Python source that defines hooks, but not the one for
    commands. Archives and finders other than Python's own are not searched.
    """
    entries = [Path(entry or os.curdir) for entry in (sys.path if path is None else path)]
    if any(entry.is_file() for entry in entries) or _other_finders():
        return None
    return [folder for folder, points in _plugins(entries) if any(map(_may_offer, points))]


def _other_finders() -> bool:
    return any(
        hasattr(finder, "find_distributions") and finder is not PathFinder
        for finder in sys.meta_path
    )


def _plugins(entries: Sequence[Path]) -> Iterator[tuple[Path, list[str]]]:
    """The metadata folder and the modules of each plugin; the first one of a name hides others."""
    seen = {CORE}  # built-in commands are in a table of their own
    for entry in entries:
        for name in _names(entry):
            distribution = name.partition("-")[0].removesuffix(".egg-info").lower()
            folder = entry / name
            if distribution not in seen and (modules := _modules(folder)):
                seen.add(distribution)
                yield folder, modules


def _names(entry: Path) -> list[str]:
    try:
        names = os.listdir(entry)
    except OSError:
        return []
    return [name for name in names if name.endswith((".dist-info", ".egg-info"))]


def _modules(folder: Path) -> list[str]:
    """Modules in the group `vall_e` of `entry_points.txt`."""
    try:
        with open(folder / "entry_points.txt", encoding="utf-8") as file:
            lines = [line.strip() for line in file]
    except (OSError, UnicodeDecodeError):
        return []
    if SECTION not in lines:
        return []
    modules = []
    for line in lines[lines.index(SECTION) + 1 :]:
        if line.startswith("["):
            break
        if line and not line.startswith("#"):
            modules.append(line.partition("=")[2].partition(":")[0].partition("[")[0].strip())
    return modules


def _may_offer(module: str) -> bool:
    try:
        source = _source(module)
    except (ImportError, OSError, ValueError, AttributeError):
        return True  # not found as usual: loading it will report why
    return source is None or HOOK in source or ANY_HOOK not in source


def _source(module: str) -> bytes | None:
    """The source of a module, without importing its packages; None if it has none."""
    top, *rest = module.split(".")
    spec: ModuleSpec | None = find_spec(top)
    name = top
    for part in rest:
        if spec is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations)
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    with open(spec.origin, "rb") as file:
        return file.read()
