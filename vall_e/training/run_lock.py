"""The lock on a run's folder, whichever way the run is started. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from vall_e.errors import TrainingError
from vall_e.folder_lock import locked


def held_by_this_run(folder: Path, environ: Mapping[str, str]) -> AbstractContextManager[None]:
    """Lock the folder for this run. With several ranks, the first one holds the lock."""
    rank = environ.get("RANK") or "0"
    if not rank.isdecimal():
        raise TrainingError(
            f"the variable RANK is {rank!r}, which is not the number of a process",
            hint="unset it, or start the processes with torchrun",
        )
    return nullcontext() if int(rank) else locked(folder, error=TrainingError)
