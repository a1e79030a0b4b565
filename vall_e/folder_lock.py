"""A folder that has one writer at a time. Torch-free."""

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
"""An empty file, which stays: what counts is who holds it."""

# The system counts by process: it would let one process in twice, and take the lock away as soon as
# either file is closed. So what this process (by its number, for forks) holds is noted here.
_held: set[tuple[int, int, int]] = set()
_noting = threading.Lock()


@contextmanager
def locked(folder: Path, *, error: type[VallEError], name: Path | None = None) -> Iterator[None]:
    """Make the folder, and hold it. Raises an `error` if it cannot be made, or is held already.

    Messages call it `name`, where it stands for something else: the file beside it, say.

    The system lets go of it when the process ends, however it ends. Loader processes, which are
    forks of this one, hold nothing. Where what is done in it fails, a folder that was made for it
    and is still empty goes again.
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
            hint="choose a folder on a disk that you may write to",
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
            f"{name} is being written to by this process already",
            hint=f"end the first before the second, or choose another {what}",
        )
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not take(descriptor) or not _is_there(folder / LOCK, descriptor):
            raise error(
                f"{name} is being written to by another process",
                hint=f"wait until it has ended, or choose another {what}",
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
    """Whether nobody removed the file between its opening and its locking."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _clear(made: Sequence[Path]) -> None:
    with suppress(OSError):  # it holds something, or the system keeps what is open
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
