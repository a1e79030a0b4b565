"""Detects code that would synchronize with a GPU, on any device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

LOOKS = frozenset(
    {
        *("item", "tolist", "numpy", "cpu", "__bool__", "__int__", "__float__", "__index__"),
        *("__contains__", "equal", "allclose", "nonzero", "masked_select", "unique"),
        *("tensor", "as_tensor"),
    }
)
"""Operations that need values on the host, or copy from memory that is not pinned."""


class WaitsForNothing(TorchFunctionMode):
    """A context in which reading the values of a tensor is an `AssertionError`.

    On a GPU such code waits for all work queued before. So does indexing by booleans, since
    the host must know the shape of the result.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in LOOKS or (name in ("__getitem__", "__setitem__") and _by_booleans(args[1])):
            raise AssertionError(
                f"{name} would synchronize with the GPU: use tensor operations only"
            )
        return func(*args, **(kwargs or {}))


def _by_booleans(index: object) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, Tensor) and part.dtype == torch.bool for part in parts)
