"""Packages required by a YAML file: `requires: ["vall-e-backbone-mamba>=0.1"]`."""

from __future__ import annotations

import shlex
from importlib import metadata
from typing import TYPE_CHECKING

from vall_e.errors import PluginError

if TYPE_CHECKING:
    from packaging.requirements import Requirement


def requirements(instance: object, attribute: object, value: tuple[str, ...]) -> None:
    """Validator for attrs: each entry is a PEP 508 requirement."""
    from packaging.requirements import InvalidRequirement

    for text in value:
        try:
            _read(text)
        except InvalidRequirement as exc:
            raise ValueError(f"{text!r} is not a requirement such as 'some-package>=0.1'") from exc


def check_requirements(raw: object, *, source: str) -> None:
    """Raise a `PluginError` that lists the requirements in `raw` that are not installed.

    Invalid requirements are left to `requirements`, which reports where they are written.
    """
    listed = raw.get("requires") if isinstance(raw, dict) else None
    if not listed or not isinstance(listed, (list, tuple)):
        return
    unmet = [(text, why) for text in listed if isinstance(text, str) and (why := _unmet(text))]
    if unmet:
        pip = "pip install " + " ".join(shlex.quote(text) for text, _ in unmet)
        missing = "; ".join(f"{text}: {why}" for text, why in unmet)
        raise PluginError(f"{source} requires packages that are missing: {missing}", hint=pip)


def _read(text: str) -> Requirement:
    from packaging.requirements import Requirement

    return Requirement(text)


def _unmet(text: str) -> str:
    """Why this requirement is not met; empty if it is met or does not apply to this machine."""
    from packaging.requirements import InvalidRequirement

    try:
        requirement = _read(text)
    except InvalidRequirement:
        return ""
    if requirement.marker is not None and not requirement.marker.evaluate():
        return ""
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return "not installed"
    met = requirement.specifier.contains(version, prereleases=True)
    return "" if met else f"{version} is installed"
