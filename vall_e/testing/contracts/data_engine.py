"""What every data engine must do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from vall_e.errors import UnavailableError
from vall_e.interfaces.data_engine import DataEngine
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.requirements import require_error

make: Callable[[], Callable[[str], object]] = partial(partial, eval)
"""Items are Python expressions, so that evaluating them imports no module that loads slowly."""
DIES = "__import__('os').kill(__import__('os').getpid(), 9)"


class DataEngineContract:
    """`make` builds the engine, with two workers; skip in it if its package is missing.

    `survives`: whether it uses other processes, and continues if one of them dies.
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
        assert isinstance(self.make(), DataEngine), "it lacks `run` of `vall_e.plugin.DataEngine`"
        items = ["__import__('time').sleep(0.2)", *[f"{number} * 7" for number in range(1, 30)]]
        found = self.run(items)
        assert found == [None, *range(7, 210, 7)], (
            f"outcomes are {found}: return all of them, in the order of the items"
        )

    def test_no_items_give_no_outcomes(self) -> None:
        found = self.run([])
        assert found == [], f"no items give {found}"

    def test_an_error_is_raised_and_says_where(self) -> None:
        message = "an exception of an item must be raised, with its message"
        with require_error(Exception, message, match="division by zero"):
            self.run(["1", "1 / 0", "2"])

    def test_the_item_of_a_process_that_died_is_done_again(self, tmp_path: Path) -> None:
        """The first process that reaches the second item leaves a file, and dies."""
        if not self.survives:
            pytest.skip("it uses no other processes")
        there = f"__import__('pathlib').Path({str(tmp_path / 'there')!r})"
        item = f"'again' if {there}.exists() else [{there}.touch(), {DIES}]"
        found = self.run(["1", item, "3", "4"])
        assert found == [1, "again", 3, 4], (
            f"outcomes are {found}: an item whose process died must be prepared again"
        )

    def test_only_an_item_that_kills_every_process_is_lost(self) -> None:
        if not self.survives:
            pytest.skip("it uses no other processes")
        found = self.run(["1", DIES, "3", "4"])
        assert found == [1, repr(DIES), 3, 4], (
            f"outcomes are {found}: an item that kills each process is `lost(item)`, the others "
            "succeed"
        )
