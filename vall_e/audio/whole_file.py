"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vall_e.errors import AudioError

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write beside `path`, then rename: a reader never sees half of it. Raises `AudioError`."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as exc:
        raise AudioError(
            f"{path} cannot be written: {exc.strerror}",
            hint="check that its folder exists, and that there is room",
        ) from exc
    finally:
        part.unlink(missing_ok=True)
