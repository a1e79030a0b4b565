"""Checks calls as beartype does, but a call only once of which nothing is new but the numbers.

jaxtyping asks for a check of each call in a test. Whether a call is right follows from the kinds
of its arguments and from the sizes of its tensors: a loop over the same sizes is checked once. What
names no tensor is checked by mypy, and here the first time: there are many properties, often read.
"""

import sys
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, get_args, no_type_check

import torch
from beartype import beartype
from jaxtyping import AbstractArray

PLAIN = (int, str, bytes)
"""An annotation can name their values."""
CONTAINERS = (list, tuple, dict, set, frozenset)


class UnknownError(Exception):
    """What is in a container could be anything: such a call is checked each time."""


def check(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which says whether its arguments fit their annotations."""
    checked = beartype(function)
    if not any(map(_tells_of_tensors, function.__annotations__.values())):
        return _first(checked)
    right: set[Hashable] = set()

    @wraps(function)
    def once(*args: Any, **kwargs: Any) -> Any:
        try:
            known = (*map(_sizes, args), *kwargs, *map(_sizes, kwargs.values()))
        except UnknownError:
            return checked(*args, **kwargs)
        if known in right:
            return None
        out = checked(*args, **kwargs)
        right.add(known)
        return out

    return once


def _first(checked: Callable[..., Any]) -> Callable[..., Any]:
    """Checks a call, and has jaxtyping ask for no other; a function within another has no name."""

    @wraps(checked)
    def first(*args: Any, **kwargs: Any) -> Any:
        out = checked(*args, **kwargs)
        if found := _named(checked.__module__, checked.__qualname__):
            no_type_check(found)
        return out

    return first


def _named(module: str, name: str) -> Any:
    """What jaxtyping made of the function of this name."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, "__dict__", {}).get(part)
    if isinstance(found, property):
        return found.fget
    return getattr(found, "__func__", found)


def _tells_of_tensors(hint: object) -> bool:
    if isinstance(hint, type) and issubclass(hint, (torch.Tensor, AbstractArray)):
        return True
    parts = hint if isinstance(hint, list) else get_args(hint)
    return any(map(_tells_of_tensors, parts))


def _sizes(value: object) -> Hashable:
    """All that an annotation can tell of a value."""
    kind = type(value)
    if isinstance(value, torch.Tensor):
        return kind, value.shape, value.dtype
    if isinstance(value, PLAIN):
        return kind, value
    if isinstance(value, CONTAINERS):
        raise UnknownError
    return kind
