"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vall_e.errors import VallEError


def write_atomically(path: Path, data: bytes, *, error: type[VallEError]) -> None:
    """Write beside `path`, then rename: a reader never sees half of it. Raises an `error`."""
    with atomic_path(path, error=error) as part:
        part.write_bytes(data)


@contextmanager
def atomic_path(path: Path, *, error: type[VallEError]) -> Iterator[Path]:
    """A path to write to, renamed to `path` at the end. Where that fails, raises an `error`."""
    # Short, since a name has at most 255 bytes.
    part = path.with_name(f"{path.name[:48]}.{os.getpid()}.part")
    try:
        with os_errors_as(error, path):
            yield part
            os.replace(part, path)
    finally:
        with suppress(OSError):  # it is not there, or what made the writing fail does so again
            part.unlink()


@contextmanager
def os_errors_as(error: type[VallEError], path: Path) -> Iterator[None]:
    """Around writing `path`: raises an `error` where that fails, unless a reader has gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise error(f"{path} cannot be written: {exc.strerror}", hint=_hint(path, exc)) from exc


def make_folder(folder: Path, *, error: type[VallEError]) -> None:
    """With those above it; raises an `error` where that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        reason = exc.strerror
        raise error(
            f"the folder {folder} cannot be made: {reason}", hint="name another folder"
        ) from exc


def _hint(path: Path, exc: OSError) -> str:
    folder = path.parent
    return {
        errno.ENOENT: f"make the folder {folder} first",
        errno.ENOTDIR: f"give a path in a folder: {folder} is in, or is, a file",
        errno.EISDIR: "give the path of a file: this is a folder",
        errno.ENAMETOOLONG: "give a shorter name",
        errno.EACCES: f"check who may write in {folder}",
        errno.EPERM: f"check who may write in {folder}",
        errno.EROFS: "write elsewhere: this disk can only be read",
        errno.ENOSPC: "make room on the disk",
        errno.EDQUOT: "make room: the quota is used up",
    }.get(exc.errno or 0, f"check that files can be written in {folder}")
