"""Documentation of an option from the source: the string below its field, and its validators."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from attrs import Attribute

__all__ = ["documents", "limits", "summary"]


def documents(cls: type) -> Mapping[str, str]:
    """The strings below the fields of a class, by field; empty if the source is not available."""
    found: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
        except (OSError, TypeError, SyntaxError):
            continue
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for line, below in pairwise(body):
            match line, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[name] = " ".join(inspect.cleandoc(text).split())
    return found


def summary(cls: type) -> str:
    """The first line of a class's own docstring, if its author wrote one."""
    text = cls.__dict__.get("__doc__") or ""
    return text.strip().splitlines()[0] if text.strip() else ""


COMPARISONS = MappingProxyType(
    {
        ">": "exclusiveMinimum",
        ">=": "minimum",
        "<": "exclusiveMaximum",
        "<=": "maximum",
    }
)


def limits(attribute: Attribute[Any], *, of_list: bool, of_text: bool) -> dict[str, Any]:
    """The limits set by attrs validators, as JSON Schema keywords.

    attrs has no public way to query them, so they are recognized by their attributes; unknown
    validators add nothing.
    """
    found: dict[str, Any] = {}
    suffix = "Items" if of_list else "Length" if of_text else "Properties"
    for validator in _each(attribute.validator):
        if hasattr(validator, "compare_op") and validator.compare_op in COMPARISONS:
            found[COMPARISONS[validator.compare_op]] = validator.bound
        if hasattr(validator, "min_length"):
            found[f"min{suffix}"] = validator.min_length
        if hasattr(validator, "max_length"):
            found[f"max{suffix}"] = validator.max_length
        if hasattr(validator, "pattern") and of_text:
            found["pattern"] = f"^(?:{validator.pattern.pattern})$"
        if type(validator).__name__ == "_InValidator":
            found["enum"] = list(validator.options)
    return found


def _each(validator: Any) -> Iterator[Any]:
    if validator is None:
        return
    if hasattr(validator, "_validators"):  # attrs.validators.and_
        for part in validator._validators:
            yield from _each(part)
    elif type(validator).__name__ == "_OptionalValidator":
        yield from _each(validator.validator)
    else:
        yield validator
