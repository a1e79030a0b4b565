"""Finds the weights and checkpoints in a run's folder."""

from __future__ import annotations

import re
from pathlib import Path

from vall_e.config.field_metadata import is_name
from vall_e.damaged_files import damage_as
from vall_e.errors import CheckpointError, UnknownComponentError
from vall_e.registry import Registry

LATEST = "latest"
WEIGHTS = "weights.safetensors"
_NAME = re.compile(r"step-(\d{6,})")


def checkpoints(run: Path) -> list[Path]:
    """Complete checkpoints, the oldest first."""
    found = [(int(m[1]), path) for path in run.glob("step-*") if (m := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def latest(run: Path) -> Path | None:
    """The checkpoint named in `latest`, or None if the folder has none."""
    pointer = run / LATEST
    if not pointer.is_file():
        return None
    hint = f"write the name of a step-... folder of {run} into it"
    with damage_as(CheckpointError, pointer, what="does not name a checkpoint", hint=hint):
        folder = run / pointer.read_text(encoding="utf-8").strip()
        if not (folder / WEIGHTS).is_file():
            raise CheckpointError(f"{pointer} names {folder.name}, which does not exist", hint=hint)
    return folder


def find_weights(path: Path) -> Path:
    """The weights file for a run folder (its latest), a checkpoint folder, or a file."""
    if path.is_file():
        return path
    if (path / WEIGHTS).is_file():
        return path / WEIGHTS
    folder = latest(path) if path.is_dir() else None
    if folder is None:
        raise CheckpointError(
            f"{path} is neither a weights file, nor a checkpoint, nor a folder of checkpoints",
            hint="give the folder set in training.output",
        )
    return folder / WEIGHTS


def named_weights(name: str, registry: Registry) -> Path:
    """The weights named in `training.start_from`: an installed model, a file or a folder."""
    if not is_name(name):
        return find_weights(Path(name))
    try:
        component = registry.get("model", name)
    except UnknownComponentError as exc:
        if not Path(name).exists():
            raise
        raise UnknownComponentError(
            exc.message, hint=f"write ./{name} for the file or folder with that name"
        ) from exc
    weights: Path = component.build(component.config())
    return weights
