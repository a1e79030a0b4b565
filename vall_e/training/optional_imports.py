"""Packages that only some components need, imported when such a component is built."""

from importlib import import_module
from types import ModuleType

from vall_e.errors import UnavailableError


def package(name: str, *, needed_by: str, install: str) -> ModuleType:
    """Import the module. Raises `UnavailableError`, with the reason and how to install it."""
    try:
        return import_module(name)
    except Exception as exc:  # compiled packages fail with all kinds of exceptions
        raise UnavailableError(
            f"{needed_by} needs the package {name.partition('.')[0]}: {exc}",
            hint=f"pip install '{install}'",
        ) from exc
