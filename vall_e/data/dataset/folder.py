"""A dataset folder, opened: manifest and codes are memory-mapped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vall_e.damaged_files import damage_as
from vall_e.data.dataset.manifest import CODES, SKIPPED, Info, read_info
from vall_e.data.dataset.manifest_lines import Entries
from vall_e.errors import DataError
from vall_e.interfaces.store import Entry

AGAIN = "process the recordings again"


class Dataset:
    """The output of `vall-e data process`. Codes are read when requested.

    Raises `DataError` if the folder is not a finished dataset, is empty or damaged. If it need not
    be `whole`, codes cut off at the end are accepted, and the last utterances have fewer frames.
    """

    def __init__(self, folder: Path, *, whole: bool = True) -> None:
        self.folder = folder
        self.info: Info = finished(folder)
        self.entries = Entries(folder)
        require_all(self.entries, self.info, folder)
        path = folder / CODES
        size = path.stat().st_size if path.exists() else 0
        needed = self.entries.frames * self.info.levels * 2 if whole else 1
        if size < needed:
            raise _damaged(folder)
        self._map: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.entries)

    def codes(self, entry: Entry, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Frames `start` to `stop` of an entry: a new int64 array of (levels, frames)."""
        if self._map is None:
            # As a plain array: each slice of a memmap is a memmap again, which is slow to create.
            with damage_as(DataError, self.folder / CODES, hint=AGAIN):
                raw = np.asarray(np.memmap(self.folder / CODES, dtype=np.uint8, mode="r"))
                frame = 2 * self.info.levels
                self._map = raw[: len(raw) // frame * frame].view("<i2").reshape(-1, frame // 2)
        stop = entry.frames if stop is None else min(stop, entry.frames)
        frames = self._map[entry.offset + start : entry.offset + stop]
        return np.ascontiguousarray(frames.T).astype(np.int64)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}  # each process maps the file itself


def finished(folder: Path) -> Info:
    """The folder's description of itself, or `DataError` if it is not finished."""
    info = read_info(folder)
    if not info.complete:
        raise DataError(
            f"{folder} is not finished",
            hint="run the same `vall-e data process` again: it continues where it stopped",
        )
    return info


def require_all(entries: Entries, info: Info, folder: Path, *, again: str = AGAIN) -> None:
    """Raise `DataError` for a manifest without utterances, or with a wrong number of them.

    `again` is how to make the dataset again.
    """
    skipped = folder / SKIPPED
    if not entries.frames and not info.utterances:
        hint = f"see {skipped} for the reasons" if skipped.is_file() else again
        raise DataError(f"{folder} contains no utterances", hint=hint)
    if not entries.frames or len(entries) != info.utterances:
        raise _damaged(folder, again)


def _damaged(folder: Path, again: str = AGAIN) -> DataError:
    return DataError(
        f"{folder} is damaged: its files do not fit together",
        hint=f"copy it again, or delete it and {again}",
    )
