"""What every store must do."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from attrs import evolve

from vall_e.errors import DataError, UnavailableError
from vall_e.interfaces.store import Entry, Info, Item, Store
from vall_e.testing.contracts.pytest_words import pytest

INFO = Info("staircase:3", 75.0, 24_000, 3, 64, "none")


def some_items(count: int = 20) -> list[Item]:
    """Utterances of three levels; ids have slashes, dots and letters that are not ASCII."""
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
    """`make` builds the store; skip in it where its package is missing.

    `name` is what its datasets are called: with an ending where each needs one. `writes`: whether
    it can write; one that only reads has few laws.
    """

    name: str = "data"
    writes: bool = True

    def make(self) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def store(self) -> Store:
        return self.make()

    def test_what_is_written_is_read(self, store: Store, tmp_path: Path) -> None:
        items = some_items()
        info = self._write(store, tmp_path, iter(items))
        assert isinstance(store, Store)
        assert store.holds(tmp_path / self.name)
        found = store.open(tmp_path / self.name)
        assert found.info == info
        assert (info.complete, info.utterances, info.speakers) == (True, 20, 2)
        assert len(found.entries) == 20
        offsets = np.cumsum([0, *(item.entry.frames for item in items)])
        for number, (entry, item) in enumerate(zip(found.entries, items, strict=True)):
            assert entry == evolve(item.entry, offset=int(offsets[number]))
            assert found.entries[number] == entry
            assert np.array_equal(found.codes(entry), item.codes)

    def test_a_part_of_the_codes_is_read(self, store: Store, tmp_path: Path) -> None:
        items = some_items()
        self._write(store, tmp_path, items)
        found = store.open(tmp_path / self.name)
        entry = found.entries[-1]
        part = found.codes(entry, 2, 5)
        assert part.dtype == np.int64
        assert np.array_equal(part, items[-1].codes[:, 2:5])
        assert found.codes(entry, 0, 10_000).shape == (3, entry.frames)

    def test_another_process_can_open_it(self, store: Store, tmp_path: Path) -> None:
        items = some_items()
        self._write(store, tmp_path, items)
        found = store.open(tmp_path / self.name)
        found.codes(found.entries[0])
        again = pickle.loads(pickle.dumps(found))  # noqa: S301 (made here)
        assert np.array_equal(again.codes(again.entries[3]), items[3].codes)

    def test_nothing_is_written_over(self, store: Store, tmp_path: Path) -> None:
        self._write(store, tmp_path, some_items())
        with pytest.raises(DataError, match="is there already"):
            self._write(store, tmp_path, some_items())

    def test_an_item_that_does_not_fit_is_refused_by_name(
        self, store: Store, tmp_path: Path
    ) -> None:
        first, second = some_items(2)
        for bad in (Item(second.entry, second.codes[:2]), Item(second.entry, second.codes[:, :0])):
            with pytest.raises(DataError, match=r"räume/1/a\.1"):
                self._write(store, tmp_path, [first, bad])

    def test_an_id_that_comes_twice_is_refused(self, store: Store, tmp_path: Path) -> None:
        (item,) = some_items(1)
        with pytest.raises(DataError, match="two utterances have the id"):
            self._write(store, tmp_path, [item, item])

    def test_something_else_is_not_its_own(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "file.tar").write_bytes(b"x" * 600)
        for other in ("empty", "file.tar", "missing"):
            assert not store.holds(tmp_path / other)

    def test_one_that_only_reads_says_so(self, store: Store, tmp_path: Path) -> None:
        if self.writes:
            pytest.skip("it writes")
        with pytest.raises(DataError):
            store.write(tmp_path / self.name, INFO, some_items())

    def _write(self, store: Store, folder: Path, items: Iterable[Item]) -> Info:
        if not self.writes:
            pytest.skip("it only reads")
        try:
            return store.write(folder / self.name, INFO, items)
        except UnavailableError as exc:
            pytest.skip(exc.message)
