"""The contract of stores refuses what only looks like one."""

import shutil

import pytest
from attrs import evolve

from vall_e.data.stores.folder import FolderStore
from vall_e.errors import DataError
from vall_e.testing import StoreContract


class DropsTheLast(FolderStore):
    def write(self, path, info, items):
        *kept, last = items
        return super().write(path, info, [*kept, last][: max(1, len(kept))])


class Around:
    """An open dataset that others alter."""

    def __init__(self, stored):
        self.stored = stored
        self.info, self.entries, self.folder = stored.info, stored.entries, stored.folder

    def codes(self, entry, start=0, stop=None):
        return self.stored.codes(entry, start, stop)


class Whole(Around):
    def codes(self, entry, start=0, stop=None):
        return self.stored.codes(entry)


class Rooted(Around):
    def __init__(self, stored):
        super().__init__(stored)
        self.codes = lambda *span: stored.codes(*span)


class GivesAllOfIt(FolderStore):
    def open(self, path, *, assumed=None):
        return Whole(super().open(path))


class StaysInItsProcess(FolderStore):
    def open(self, path, *, assumed=None):
        return Rooted(super().open(path))


class WritesOver(FolderStore):
    def write(self, path, info, items):
        shutil.rmtree(path, ignore_errors=True)
        return super().write(path, info, items)


class BlamesNobody(FolderStore):
    def write(self, path, info, items):
        try:
            return super().write(path, info, items)
        except DataError as exc:
            raise DataError("some item is wrong") from exc


class TakesTheFirstOfTwo(FolderStore):
    def write(self, path, info, items):
        return super().write(path, info, {item.entry.id: item for item in items}.values())


class HoldsAnything(FolderStore):
    def holds(self, path):
        return path.exists()


class RenamesSpeakers(FolderStore):
    def write(self, path, info, items):
        named = (evolve(i, entry=evolve(i.entry, speaker="x" + i.entry.speaker)) for i in items)
        return super().write(path, info, named)


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (DropsTheLast, "test_written_data_can_be_read"),
        (RenamesSpeakers, "test_written_data_can_be_read"),
        (GivesAllOfIt, "test_part_of_the_codes_can_be_read"),
        (StaysInItsProcess, "test_another_process_can_open_it"),
        (WritesOver, "test_nothing_is_overwritten"),
        (BlamesNobody, "test_an_item_that_does_not_fit_is_refused_by_name"),
        (TakesTheFirstOfTwo, "test_a_duplicate_id_is_refused"),
        (HoldsAnything, "test_other_files_are_not_recognized"),
    ],
)
def test_a_broken_store_is_refused(judge, broken, refused_by):
    assert refused_by in judge(StoreContract, broken, only=refused_by).failed


def test_one_that_says_that_it_only_reads_and_writes_is_refused(judge):
    refused_by = "test_a_read_only_store_refuses_to_write"
    assert refused_by in judge(StoreContract, FolderStore, only=refused_by, writes=False).failed


def test_a_sound_store_passes(judge):
    assert not judge(StoreContract, FolderStore).failed
