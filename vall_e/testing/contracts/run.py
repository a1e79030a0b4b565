"""Runs the laws of a contract, with or without pytest, and reports the outcome of each."""

from __future__ import annotations

import inspect
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Literal

from attrs import frozen

from vall_e.testing.contracts.pytest_words import pytest

LawStatus = Literal["holds", "fails", "skipped", "excepted"]
PREFIX = "test_"


@frozen
class Finding:
    """The outcome of one law."""

    law: str
    status: LawStatus
    reason: str = ""
    """Why the outcome is not `holds`."""
    general: bool = False
    """A law of every component, which needs no instance."""

    @property
    def sentence(self) -> str:
        return self.law.removeprefix(PREFIX).replace("_", " ")


def laws_of(contract: type) -> list[str]:
    """The names of its tests, in the order of the file; those of the first base class first."""
    names: dict[str, None] = {}
    for each in contract.__mro__:
        names |= dict.fromkeys(name for name in vars(each) if name.startswith(PREFIX))
    return [name for name in names if inspect.isfunction(getattr(contract, name, None))]


def try_law(contract: type, law: str, exception: str = "") -> Finding:
    """Run one law with all its parameters. With `exception`, a reason why it cannot hold, it must
    fail."""
    test = getattr(contract, law)
    skipped = list(_reasons_to_skip(test))
    ran = 0
    for arguments in [] if skipped else _cases(test):
        try:
            _run(contract, law, arguments)
        except pytest.skip.Exception as exc:
            skipped.append(str(exc))
        except (Exception, pytest.fail.Exception) as exc:  # noqa: BLE001  whatever it raises, it does not hold
            if exception:
                return Finding(law, "excepted", exception)
            given = ", ".join(f"{key}={value}" for key, value in arguments.items())
            return Finding(law, "fails", _reason(exc) + (f" (with {given})" if given else ""))
        else:
            ran += 1
    if exception:
        return Finding(
            law, "fails", f"passes after all: remove it from the exceptions ({exception})"
        )
    if skipped and not ran:
        return Finding(law, "skipped", skipped[0])
    return Finding(law, "holds")


def _run(contract: type, law: str, arguments: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="vall-e-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        instance = contract()
        given = _Given(instance, arguments, Path(folder))
        getattr(instance, law)(**given.for_function(getattr(instance, law)))


@frozen
class _Given:
    """The arguments of a test, by the names of its parameters."""

    instance: object
    arguments: Mapping[str, Any]
    folder: Path

    def for_function(self, function: Any) -> dict[str, Any]:
        return {name: self._value(name) for name in inspect.signature(function).parameters}

    def _value(self, name: str) -> Any:
        if name in self.arguments:
            return self.arguments[name]
        if name == "tmp_path":
            return self.folder
        fixture = inspect.unwrap(inspect.getattr_static(self.instance, name))
        bound = fixture.__get__(self.instance)
        return bound(**self.for_function(bound))


def _reasons_to_skip(test: Any) -> Iterator[str]:
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "skipif" and mark.args[0]:
            yield str(mark.kwargs["reason"])


def _cases(test: Any) -> Iterator[dict[str, Any]]:
    """The arguments of each run, from the test's marks."""
    axes: list[list[dict[str, Any]]] = []
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            names, values = mark.args
            several = names.split(",") if isinstance(names, str) and "," in names else names
            if isinstance(several, str):
                axes.append([{several: value} for value in values])
            else:
                keys = [name.strip() for name in several]
                axes.append([dict(zip(keys, value, strict=True)) for value in values])
    for parts in product(*axes):
        yield {key: value for part in parts for key, value in part.items()}


def _reason(exc: BaseException) -> str:
    """The error on one line; for a bare `assert`, its condition."""
    message = " ".join(str(exc).split())
    if not message or message.startswith("assert "):
        frames = traceback.extract_tb(exc.__traceback__)
        message = next((f.line for f in reversed(frames) if "assert" in (f.line or "")), "") or ""
        return f"{message or type(exc).__name__}"
    return message if isinstance(exc, AssertionError) else f"{type(exc).__name__}: {message}"
