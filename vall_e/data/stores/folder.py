"""The folder made by `vall-e data process`: a manifest, and one file with all codes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from vall_e.data.dataset.folder import Dataset
from vall_e.data.dataset.manifest import CODES, INFO, MANIFEST, line_of, write_info
from vall_e.data.stores.write_checks import Placing, new_folder
from vall_e.interfaces.store import Info, Item


@frozen
class FolderStore:
    """Memory-mapped codes and phonemes: the fastest to train from, on a local disk."""

    whole: bool = True
    """Refuse a folder whose codes end before those of its last utterance."""

    def lenient(self) -> FolderStore:
        return FolderStore(whole=False)

    def holds(self, path: Path) -> bool:
        return (path / INFO).is_file() and (path / CODES).is_file()

    def open(self, path: Path, *, assumed: Info | None = None) -> Dataset:
        return Dataset(path, whole=self.whole)

    def write(self, path: Path, info: Info, items: Iterable[Item]) -> Info:
        placing = Placing(info)
        with (
            new_folder(path) as folder,
            (folder / CODES).open("wb") as codes,
            (folder / MANIFEST).open("wb") as manifest,
        ):
            for item in placing(items):
                codes.write(item.codes.T.astype("<i2").tobytes())
                manifest.write(line_of(item.entry).encode())
            write_info(folder, placing.counted)
        return placing.counted
