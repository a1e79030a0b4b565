"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from vall_e.errors import VallEError


def write_whole(path: Path, data: bytes, *, error: type[VallEError]) -> None:
    """Write beside `path`, then rename: a reader never sees half of it. Raises an `error`."""
    # Short, since a name has at most 255 bytes.
    part = path.with_name(f"{path.name[:48]}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as exc:
        with suppress(OSError):  # what made the writing fail may make this fail too
            part.unlink()
        raise error(f"{path} cannot be written: {exc.strerror}", hint=_hint(path, exc)) from exc


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
