"""A folder that one process at a time may write to. Torch-free."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vall_e.errors import VallEError

LOCK = ".lock"
"""An empty file, which stays: what counts is who holds it."""


@contextmanager
def locked(folder: Path, *, error: type[VallEError]) -> Iterator[None]:
    """Make the folder, and hold it. Raises an `error` if it cannot be made, or another holds it.

    The system lets go of it when the process ends, however it ends. Loader processes, which are
    forks of this one, hold nothing.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as exc:
        raise error(
            f"{folder} cannot be written to: {exc.strerror}",
            hint="choose a folder on a disk that you may write to",
        ) from exc
    try:
        if not _take(descriptor):
            raise error(
                f"{folder} is being written to by another process",
                hint="wait until it has ended, or choose another folder",
            )
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> bool:
        with suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            return True
        return False

else:
    import fcntl

    def _take(descriptor: int) -> bool:
        # Not `flock`: forks would hold it too, and so outlive a process that was killed.
        with suppress(OSError):
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False
