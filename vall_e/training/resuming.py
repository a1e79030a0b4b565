"""What may not change between a checkpoint and the run that goes on from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vall_e.config.load import unstructure, without_folders
from vall_e.config.schema import RunConfig
from vall_e.errors import CheckpointError
from vall_e.model.weights import read_metadata

FREE = {"attention", "dropout", "checkpointing"}
"""Options of the model that change how it is computed or trained, not what the weights mean."""


def require_same(weights: Path, config: RunConfig, codec: str) -> None:
    """Raise `CheckpointError` if weights of `weights` mean something else under this config."""
    saved = {key: json.loads(value) for key, value in read_metadata(weights).items()}
    if saved["codec"] != codec:
        raise CheckpointError(
            f"{weights.parent} was trained on codes of {saved['codec']}, the data are of {codec}",
            hint="train on that data into another training.output",
        )
    now = unstructure(without_folders(config), owners=True)
    changed = [
        *_changed("model", saved["config"]["model"], now["model"]),
        *_changed("tasks", saved["config"]["tasks"], now["tasks"]),
    ]
    if changed:
        raise CheckpointError(
            f"{weights.parent} was trained with another {', '.join(changed)}",
            hint="set it back to resume, or choose another training.output",
        )


def _changed(place: str, before: Any, after: Any) -> Iterator[str]:
    """The options that differ. One that only one side knows is of another version."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted((before.keys() & after.keys()) - FREE):
            yield from _changed(f"{place}.{key}", before[key], after[key])
    elif before != after:
        yield f"{place} ({before}, not {after})"
