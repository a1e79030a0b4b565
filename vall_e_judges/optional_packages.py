"""Packages that a judge or a transcriber needs besides VALL-E itself."""

from __future__ import annotations

import importlib

from vall_e.plugin import UnavailableError

EXTRA = 'pip install "vall-e[eval]"'


def require(name: str, *modules: str, what: str = "judge", extra: str = EXTRA) -> None:
    """Raise `UnavailableError`, with what to install, if a module cannot be imported."""
    for module in modules:
        try:
            importlib.import_module(module)
        except (ImportError, OSError) as exc:  # OSError: a shared library does not load
            raise UnavailableError(
                f"the {what} {name} needs the package {module}, which cannot be imported: {exc}",
                hint=extra,
            ) from exc
