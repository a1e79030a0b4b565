"""A stand-in for a CUDA graph on any device: it repeats recorded operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Tape(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records each operation with its input and output tensors.

    As in a CUDA graph, values on the host stay constant and tensors keep their memory.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._noted: list[tuple[Callable[..., Any], Sequence[Any], Mapping[str, Any], Any]] = []

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = func(*args, **(kwargs or {}))
        self._noted.append((func, args, kwargs or {}, given))
        return given

    def play(self) -> None:
        """Repeat all operations; results go into the tensors of the recording."""
        for func, args, kwargs, given in self._noted:
            again = func(*args, **kwargs)
            for old, new in zip(_tensors(given), _tensors(again), strict=True):
                if old.data_ptr() != new.data_ptr():  # not a view, and not in place
                    old.copy_(new)


def record(work: Callable[[], None]) -> Callable[[], None]:
    """Run it, and return a function that repeats it."""
    with (tape := Tape()):
        work()
    return tape.play


def _tensors(tree: Any) -> list[Tensor]:
    """Without those that libraries wrap in their own types: they hold weights, which do not
    change."""
    leaves = (leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor))
    return [leaf for leaf in leaves if not leaf.is_mkldnn]
