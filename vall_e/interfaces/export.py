"""What the core asks of an exporter. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    from vall_e.weights.file import Bundle


@runtime_checkable
class Exporter(Protocol):
    """Writes a trained model in one format; `suffix` is its file extension, say `.safetensors`.

    A format of several files is written as a folder.
    """

    suffix: str

    def __call__(self, bundle: Bundle, path: Path) -> None:
        """The file appears whole or not at all."""
        ...
