"""The lock on a run's folder, whichever way the run is started. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from vall_e.errors import TrainingError
from vall_e.folder_lock import locked
from vall_e.training.ranks import Ranks


def held_by_this_run(folder: Path, environ: Mapping[str, str]) -> AbstractContextManager[None]:
    """Lock the folder for this run. With several ranks, the first one holds the lock."""
    first = Ranks.of(environ).rank == 0
    return locked(folder, error=TrainingError) if first else nullcontext()
