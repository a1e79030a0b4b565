"""Copies a dataset to another store, with the files that belong to it. Torch-free."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from vall_e.atomic_write import write_atomically
from vall_e.data.dataset.manifest import INFO, SKIPPED
from vall_e.data.dataset.similar_file import similar_path
from vall_e.data.ingest.object_storage import is_url
from vall_e.data.ingest.recordings import NOISE
from vall_e.errors import DataError
from vall_e.interfaces.store import Info, Item, Stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from vall_e.interfaces.store import Store


@frozen
class Converted:
    """The result for a dataset; `noise` is that of the noise dataset inside it."""

    info: Info
    noise: Info | None
    left_out: tuple[str, ...]
    """What `target` cannot store, in words."""


def convert(
    stored: Stored, target: Path, store: Store, open_noise: Callable[[Path], Stored]
) -> Converted:
    """Write `stored` to `target`, which must not exist; on failure, nothing is left there.

    Lists of similar utterances are copied too and, to a folder, the list of skipped recordings and
    the noise dataset inside, which `open_noise` opens.
    """
    similar = similar_path(stored.folder)
    kept = similar.read_bytes() if similar.is_file() else None
    info = store.write(target, stored.info, moved(stored, target))
    try:
        if kept is not None:
            write_atomically(similar_path(target), kept, error=DataError)
        if not target.is_dir():
            return Converted(info, None, tuple(_not_held(stored.folder)))
        skipped, noise = stored.folder / SKIPPED, stored.folder / NOISE
        if skipped.is_file():
            write_atomically(target / SKIPPED, skipped.read_bytes(), error=DataError)
        if not (noise / INFO).is_file():
            return Converted(info, None, ())
        return Converted(
            info, convert(open_noise(noise), target / NOISE, store, open_noise).info, ()
        )
    except BaseException:
        similar_path(target).unlink(missing_ok=True)
        shutil.rmtree(target) if target.is_dir() else target.unlink()
        raise


def moved(stored: Stored, target: Path) -> Iterator[Item]:
    """Every utterance with its codes, one at a time; its `source` is relative to `target`."""
    for item in items_of(stored):
        source = item.entry.source
        if source and not is_url(source):
            place = os.path.normpath(stored.folder.resolve() / source)
            source = os.path.relpath(place, target.resolve()).replace(os.sep, "/")
        yield Item(evolve(item.entry, source=source), item.codes)


def _not_held(source: Path) -> Iterator[str]:
    if (source / SKIPPED).is_file() and (source / SKIPPED).stat().st_size:
        yield f"the list of skipped recordings stays in {source / SKIPPED}"
    if (source / NOISE / INFO).is_file():
        yield f"the noise stays in {source / NOISE}: convert it to a file of its own"


def items_of(stored: Stored) -> Iterator[Item]:
    """Every utterance of a dataset with its codes, one at a time."""
    for entry in stored.entries:
        yield Item(entry, stored.codes(entry).astype("int16"))
