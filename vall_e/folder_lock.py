"""A folder with one writer at a time. Torch-free."""

from __future__ import annotations

import errno
import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vall_e.errors import VallEError

LOCK = ".lock"
"""An empty file, which is not deleted: what matters is the lock on it."""

# The system locks by process: it would let one process in twice, and release the lock when either
# file is closed. So this process (by its id, because of forks) records its own locks here.
_held: set[tuple[int, int, int]] = set()
_noting = threading.Lock()


@contextmanager
def locked(folder: Path, *, error: type[VallEError], name: Path | None = None) -> Iterator[None]:
    """Create the folder, and lock it. Raises an `error` if that fails, or if it is locked already.

    Messages call it `name`, if it represents something else, such as the file next to it.

    The system releases the lock when the process ends, however it ends. Loader processes, which are
    forks of this one, hold no lock. If the work in it fails, a folder created for it that is still
    empty is removed.
    """
    try:
        made = [path for path in (folder / LOCK, folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        found = folder.stat()
        key = (os.getpid(), found.st_dev, found.st_ino)
        with _noting:
            descriptor = _hold(folder, key, error, name or folder)
    except OSError as exc:
        raise error(
            f"{name or folder} cannot be written to: {exc.strerror}",
            hint="choose a folder on a disk with write permission",
        ) from exc
    try:
        yield
    except BaseException:
        _clear(made)
        raise
    finally:
        with _noting:
            os.close(descriptor)
            _held.discard(key)


def _hold(folder: Path, key: tuple[int, int, int], error: type[VallEError], name: Path) -> int:
    what = "folder" if name == folder else "name"
    if key in _held:
        raise error(
            f"{name} is already being written by this process",
            hint=f"finish the first before starting the second, or choose another {what}",
        )
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not take(descriptor) or not _is_there(folder / LOCK, descriptor):
            raise error(
                f"{name} is being written by another process",
                hint=f"wait until it has finished, or choose another {what}",
            )
    except BaseException as exc:
        os.close(descriptor)
        if isinstance(exc, OSError):
            raise error(
                f"{name} cannot be locked: {exc.strerror}",
                hint="choose a folder on another disk: this file system seems to have no locks",
            ) from exc
        raise
    _held.add(key)
    return descriptor


def _is_there(path: Path, descriptor: int) -> bool:
    """Whether the file was not removed between opening and locking it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _clear(made: Sequence[Path]) -> None:
    with suppress(OSError):  # it is not empty, or the system keeps open files
        for path in made:  # the file, then its folder, then those above
            path.unlink() if path.name == LOCK else path.rmdir()


if sys.platform == "win32":
    import msvcrt

    def take(descriptor: int) -> bool:
        """False if another process holds the file; raises `OSError` if it cannot be locked."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as exc:
            return _require_held(exc)
        return True

else:
    import fcntl

    def take(descriptor: int) -> bool:
        """False if another process holds the file; raises `OSError` if it cannot be locked."""
        try:
            # Not `flock`: forks would hold it too, and so outlive a process that was killed.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            return _require_held(exc)
        return True


def _require_held(exc: OSError) -> bool:
    if exc.errno not in (errno.EACCES, errno.EAGAIN):
        raise exc
    return False
