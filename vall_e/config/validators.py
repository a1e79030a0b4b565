"""Validators of numbers and lists in the config. Torch-free."""

from __future__ import annotations

import math
from typing import Any

from attrs import validators

MAX_THREADS = 1024
"""More threads than this end the process in PyTorch, without a message."""


def finite(instance: object, attribute: Any, value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"must be a finite number: {value}")


positive: Any = validators.and_(validators.gt(0), finite)
not_negative: Any = validators.and_(validators.ge(0), finite)
probability: Any = [validators.ge(0), validators.le(1)]


def in_order(instance: object, attribute: Any, value: tuple[float, float]) -> None:
    if not 0 <= value[0] <= value[1] < math.inf:
        raise ValueError(f"must be two numbers, the smaller first: {list(value)}")


def ascending(instance: object, attribute: Any, value: tuple[float, float]) -> None:
    if not -math.inf < value[0] <= value[1] < math.inf:
        raise ValueError(f"must be two numbers, the smaller first: {list(value)}")


def within_one(instance: object, attribute: Any, value: tuple[float, float]) -> None:
    if not 0 <= value[0] <= value[1] <= 1:
        raise ValueError(f"must be two numbers from 0 to 1, the smaller first: {list(value)}")


def from_0_on(instance: object, attribute: Any, value: tuple[int, ...]) -> None:
    if value and min(value) < 0:
        raise ValueError(f"must list levels from 0 on: {list(value)}")


def distinct(instance: object, attribute: Any, value: tuple[object, ...]) -> None:
    if len(set(value)) != len(value):
        raise ValueError(f"must not list anything twice: {list(value)}")
