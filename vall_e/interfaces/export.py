"""What the core asks of an exporter. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    from vall_e.config.schema import RunConfig
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


@runtime_checkable
class ChecksConfig(Protocol):
    """Optional for an exporter: it says before training what it will refuse."""

    def check(self, config: RunConfig) -> None:
        """Raises `CheckpointError` that names the options of a run whose model it refuses."""
        ...
