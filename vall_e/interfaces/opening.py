"""What the core asks of an exporter that also opens its files. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor


@runtime_checkable
class Opening(Protocol):
    """An exporter that also opens what it wrote, so that `-m FILE` speaks with it."""

    suffix: str

    def opens(self, path: Path) -> bool:
        """Whether a file with its suffix is of its format, by its content.

        Any file may be asked about, so nothing in it is run: no pickle.
        """
        ...

    def read(self, path: Path) -> tuple[Mapping[str, str], Mapping[str, Tensor]]:
        """What `bundle.metadata()` and `bundle.tensors()` were when it was written. No pickle."""
        ...
