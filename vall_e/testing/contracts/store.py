"""What every store must do."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from attrs import evolve

from vall_e.errors import DataError, UnavailableError
from vall_e.interfaces.store import Entry, Info, Item, Store
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.requirements import require_error

INFO = Info("staircase:3", 75.0, 24_000, 3, 64, "none")


def some_items(count: int = 20) -> list[Item]:
    """Utterances with three levels; ids have slashes, dots and letters that are not ASCII."""
    rng = np.random.default_rng(0)
    items = []
    for number in range(count):
        frames = int(rng.integers(1, 60))
        entry = Entry(
            id=f"räume/{number % 2}/a.{number}",
            speaker=f"räume/{number % 2}",
            language="en-us",
            text=f'He said "{number}"\nand left',
            phonemes="hi: se:d",
            seconds=frames / INFO.frame_rate,
            offset=-1,
            frames=frames,
        )
        items.append(Item(entry, rng.integers(0, 64, (3, frames)).astype(np.int16)))
    return items


class StoreContract:
    """`make` builds the store; skip in it if its package is missing.

    `name` is the name of its datasets, with a suffix if they need one. `writes`: whether it can
    write; for a read-only store few laws apply.
    """

    name: str = "data"
    writes: bool = True

    def make(self) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def store(self) -> Store:
        return self.make()

    def test_written_data_can_be_read(self, store: Store, tmp_path: Path) -> None:
        items = some_items()
        info = self._write(store, tmp_path, iter(items))
        assert isinstance(store, Store), "it lacks `holds`, `open` or `write`"
        assert store.holds(tmp_path / self.name), "`holds` does not recognize what it has written"
        found = store.open(tmp_path / self.name)
        assert found.info == info, f"info is {found.info}, `write` returned {info}"
        counts = (info.complete, info.utterances, info.speakers)
        assert counts == (True, 20, 2), (
            f"complete, utterances, speakers are {counts}, not (True, 20, 2)"
        )
        assert len(found.entries) == 20, f"{len(found.entries)} entries, 20 were written"
        offsets = np.cumsum([0, *(item.entry.frames for item in items)])
        for number, (entry, item) in enumerate(zip(found.entries, items, strict=True)):
            expected = evolve(item.entry, offset=int(offsets[number]))
            assert entry == expected, f"entry {number} is {entry}, not {expected}"
            assert found.entries[number] == entry, f"entries[{number}] differs when indexed"
            assert np.array_equal(found.codes(entry), item.codes), f"codes of {entry.id} changed"

    def test_part_of_the_codes_can_be_read(self, store: Store, tmp_path: Path) -> None:
        items = some_items()
        self._write(store, tmp_path, items)
        found = store.open(tmp_path / self.name)
        entry = found.entries[-1]
        part = found.codes(entry, 2, 5)
        assert part.dtype == np.int64, f"codes are read as {part.dtype}, not int64"
        assert np.array_equal(part, items[-1].codes[:, 2:5]), "codes(entry, 2, 5) is not that part"
        shape = found.codes(entry, 0, 10_000).shape
        assert shape == (3, entry.frames), f"a stop beyond the end gives codes of shape {shape}"

    def test_another_process_can_open_it(self, store: Store, tmp_path: Path) -> None:
        items = some_items()
        self._write(store, tmp_path, items)
        found = store.open(tmp_path / self.name)
        found.codes(found.entries[0])
        again = pickle.loads(pickle.dumps(found))  # noqa: S301 (made here)
        assert np.array_equal(again.codes(again.entries[3]), items[3].codes), (
            "after pickling, other codes are read: reopen files in the new process"
        )

    def test_nothing_is_overwritten(self, store: Store, tmp_path: Path) -> None:
        self._write(store, tmp_path, some_items())
        message = "an existing dataset is overwritten: raise DataError that names it"
        with require_error(DataError, message, match=re.escape(self.name)):
            self._write(store, tmp_path, some_items())

    def test_an_item_that_does_not_fit_is_refused_by_name(
        self, store: Store, tmp_path: Path
    ) -> None:
        first, second = some_items(2)
        for bad in (Item(second.entry, second.codes[:2]), Item(second.entry, second.codes[:, :0])):
            message = (
                "codes of a wrong shape are accepted: raise DataError that names the utterance"
            )
            with require_error(DataError, message, match=r"räume/1/a\.1"):
                self._write(store, tmp_path, [first, bad])

    def test_a_duplicate_id_is_refused(self, store: Store, tmp_path: Path) -> None:
        (item,) = some_items(1)
        message = "two utterances with one id are accepted: raise DataError that names it"
        with require_error(DataError, message, match=re.escape(item.entry.id)):
            self._write(store, tmp_path, [item, item])

    def test_other_files_are_not_recognized(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "file.tar").write_bytes(b"x" * 600)
        for other in ("empty", "file.tar", "missing"):
            assert not store.holds(tmp_path / other), (
                f"`holds` accepts {other}, which is not its own"
            )

    def test_a_read_only_store_refuses_to_write(self, store: Store, tmp_path: Path) -> None:
        if self.writes:
            pytest.skip("it can write")
        with require_error(DataError, "it cannot write: raise DataError in `write`"):
            store.write(tmp_path / self.name, INFO, some_items())

    def _write(self, store: Store, folder: Path, items: Iterable[Item]) -> Info:
        if not self.writes:
            pytest.skip("it is read-only")
        try:
            return store.write(folder / self.name, INFO, items)
        except UnavailableError as exc:
            pytest.skip(exc.message)
