"""The lock on a run's folder, whichever way the run is started. Torch-free."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vall_e.errors import TrainingError
from vall_e.folder_lock import locked
from vall_e.training.ranks import Ranks


@contextmanager
def held_by_this_run(folder: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """Lock the folder for this run. With several ranks, the first one holds the lock.

    Removes what a killed process has left there unfinished.
    """
    if Ranks.of(environ).rank:
        yield
        return
    with locked(folder, error=TrainingError):
        for part in folder.glob("*.part"):
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)
        yield
