"""Whether code would wait for a GPU, as seen on any device."""

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
"""What needs values on the host, or brings some from it by memory that is not pinned."""


class WaitsForNothing(TorchFunctionMode):
    """A context in which it is an `AssertionError` to ask a tensor for values.

    On a GPU whoever does so waits for all that it was told to do. So does an index of booleans,
    since the host must know the shape of what it gives.
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
            raise AssertionError(f"a GPU would be waited for: {name}")
        return func(*args, **(kwargs or {}))


def _by_booleans(index: object) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, Tensor) and part.dtype == torch.bool for part in parts)
