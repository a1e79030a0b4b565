"""A dataset folder, opened: entries in memory, codes mapped from disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vall_e.data.manifest import CODES, Entry, Info, read_entries, read_info
from vall_e.errors import DataError


class Dataset:
    """What `vall-e data process` made. Codes are read when asked for.

    Raises `DataError` if the folder is not a finished dataset, or is empty or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.info: Info = read_info(folder)
        if not self.info.complete:
            raise DataError(
                f"{folder} is not finished",
                hint="run the same `vall-e data process` again: it goes on where it stopped",
            )
        self.entries: Sequence[Entry] = read_entries(folder)
        frames = max((entry.offset + entry.frames for entry in self.entries), default=0)
        if not frames:
            raise DataError(f"{folder} holds no utterance", hint="see its skipped.jsonl for why")
        path = folder / CODES
        size = path.stat().st_size if path.exists() else 0
        if size < frames * self.info.levels * 2 or len(self.entries) != self.info.utterances:
            raise DataError(
                f"{folder} is damaged: its files do not fit together",
                hint="copy it again, or delete it and process the recordings again",
            )
        self._map: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.entries)

    def codes(self, entry: Entry, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Frames `start` to `stop` of an entry: a fresh int64 array of (levels, frames)."""
        if self._map is None:
            raw = np.memmap(self.folder / CODES, dtype="<i2", mode="r")
            levels = self.info.levels
            self._map = raw[: len(raw) // levels * levels].reshape(-1, levels)
        stop = entry.frames if stop is None else min(stop, entry.frames)
        frames = self._map[entry.offset + start : entry.offset + stop]
        return np.ascontiguousarray(frames.T).astype(np.int64)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}  # each process maps the file itself
