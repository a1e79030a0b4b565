"""What every data engine must do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from vall_e.errors import UnavailableError
from vall_e.interfaces.data_engine import DataEngine
from vall_e.testing.contracts.pytest_words import pytest

make: Callable[[], Callable[[str], object]] = partial(partial, eval)
"""Items are Python expressions: what evaluates them needs no module that takes long to import."""
DIES = "__import__('os').kill(__import__('os').getpid(), 9)"


class DataEngineContract:
    """`make` builds the engine, with two workers; skip in it where its package is missing.

    `survives`: whether it has processes other than this one, and goes on when one of them dies.
    """

    survives: bool = True

    def make(self) -> DataEngine:
        raise NotImplementedError

    def run(self, items: Sequence[str]) -> list[object]:
        try:
            return list(self.make().run(items, make, repr))
        except UnavailableError as exc:
            pytest.skip(exc.message)

    def test_outcomes_are_in_order_and_all_there(self) -> None:
        assert isinstance(self.make(), DataEngine)
        items = ["__import__('time').sleep(0.2)", *[f"{number} * 7" for number in range(1, 30)]]
        assert self.run(items) == [None, *range(7, 210, 7)]

    def test_nothing_to_do_is_nothing_done(self) -> None:
        assert self.run([]) == []

    def test_an_error_is_raised_and_says_where(self) -> None:
        with pytest.raises(Exception, match="division by zero"):
            self.run(["1", "1 / 0", "2"])

    def test_what_a_process_that_died_was_at_is_done_again(self, tmp_path: Path) -> None:
        """The first process that comes to the second item leaves a file, and dies."""
        if not self.survives:
            pytest.skip("it has no other processes")
        there = f"__import__('pathlib').Path({str(tmp_path / 'there')!r})"
        item = f"'again' if {there}.exists() else [{there}.touch(), {DIES}]"
        assert self.run(["1", item, "3", "4"]) == [1, "again", 3, 4]

    def test_an_item_that_every_process_dies_of_is_lost_and_nothing_else(self) -> None:
        if not self.survives:
            pytest.skip("it has no other processes")
        assert self.run(["1", DIES, "3", "4"]) == [1, repr(DIES), 3, 4]
