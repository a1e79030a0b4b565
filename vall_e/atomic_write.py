"""Files that are written completely or not at all."""

from __future__ import annotations

import errno
import glob
import os
import platform
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vall_e.errors import VallEError


def write_atomically(path: Path, data: bytes, *, error: type[VallEError]) -> None:
    """Write next to `path`, then rename: readers never see half of it. Raises an `error`."""
    with atomic_path(path, error=error) as part:
        part.write_bytes(data)


@contextmanager
def atomic_path(path: Path, *, error: type[VallEError]) -> Iterator[Path]:
    """A path to write to, renamed to `path` at the end. On failure, raises an `error`.

    Removes what a killed process of this machine has left of the same file.
    """
    # Short, since a name has at most 255 bytes. With the machine, since several may share a disk.
    start = f"{path.name[:48]}.{platform.node()[:32]}-"
    part = path.with_name(f"{start}{os.getpid()}.part")
    try:
        with os_errors_as(error, path):
            _remove_stale(path.parent, start)
            yield part
            os.replace(part, path)
    finally:
        with suppress(OSError):  # it does not exist, or the cause of the failure persists
            part.unlink()


def _remove_stale(folder: Path, start: str) -> None:
    """Delete the unfinished files whose names begin so and whose process has ended."""
    for part in folder.glob(f"{glob.escape(start)}*.part"):
        process = part.name.removeprefix(start).removesuffix(".part")
        if process.isdecimal() and not _is_running(int(process)):
            with suppress(OSError):
                part.unlink()


def _is_running(process: int) -> bool:
    if os.name == "nt":  # where `os.kill` ends a process; an open file cannot be deleted there
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True


@contextmanager
def os_errors_as(error: type[VallEError], path: Path) -> Iterator[None]:
    """While writing `path`: raises an `error` on failure, unless the reader of a pipe has gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise error(f"{path} cannot be written: {exc.strerror}", hint=_hint(path, exc)) from exc


def make_folder(folder: Path, *, error: type[VallEError]) -> None:
    """Create it with its parents; raises an `error` on failure."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        reason = exc.strerror
        raise error(
            f"the folder {folder} cannot be made: {reason}", hint="give another folder"
        ) from exc


def _hint(path: Path, exc: OSError) -> str:
    folder = path.parent
    return {
        errno.ENOENT: f"make the folder {folder} first",
        errno.ENOTDIR: f"give a path in a folder: {folder} is in, or is, a file",
        errno.EISDIR: "give the path of a file: this is a folder",
        errno.ENAMETOOLONG: "give a shorter name",
        errno.EACCES: f"check the permissions of {folder}",
        errno.EPERM: f"check the permissions of {folder}",
        errno.EROFS: "write to another disk: this one is read-only",
        errno.ENOSPC: "free some space on the disk",
        errno.EDQUOT: "free some space: the disk quota is used up",
    }.get(exc.errno or 0, f"check that files can be written in {folder}")
