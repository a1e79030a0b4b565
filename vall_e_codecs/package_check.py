"""Whether a package can be imported here."""

from __future__ import annotations

import importlib
import importlib.util
import logging

log = logging.getLogger(__name__)


def imports(package: str) -> bool:
    """True if the package is installed and its import works."""
    if not importlib.util.find_spec(package):
        return False
    try:
        importlib.import_module(package)
    except (ImportError, OSError) as exc:  # a torchaudio for another torch fails in both ways
        log.info("the package %s is installed, but cannot be imported: %s", package, exc)
        return False
    return True
