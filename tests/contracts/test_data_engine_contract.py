"""The contract of data engines refuses what only looks like one."""

import pytest

from vall_e.testing import DataEngineContract


class Here:
    """One after the other; an item that would end a process is seen by its text."""

    dying = "__import__('os').kill"

    def run(self, items, make, lost):
        work = make()
        for item in items:
            yield self.of_dying(item, lost) if self.dying in item else work(item)

    def of_dying(self, item, lost):
        return lost(item) if item.startswith(self.dying) else "again"


class Backwards(Here):
    def run(self, items, make, lost):
        yield from reversed(list(super().run(items, make, lost)))


class AlwaysSaysSomething(Here):
    def run(self, items, make, lost):
        yield from super().run(items or ["None"], make, lost)


class SwallowsErrors(Here):
    def run(self, items, make, lost):
        try:
            yield from super().run(items, make, lost)
        except ZeroDivisionError:
            yield None


class GivesUpAtOnce(Here):
    def of_dying(self, item, lost):
        return lost(item)


class TriesForEver(Here):
    def of_dying(self, item, lost):
        return "again"


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (Backwards, "test_outcomes_are_in_order_and_all_there"),
        (AlwaysSaysSomething, "test_no_items_give_no_outcomes"),
        (SwallowsErrors, "test_an_error_is_raised_and_says_where"),
        (GivesUpAtOnce, "test_the_item_of_a_process_that_died_is_done_again"),
        (TriesForEver, "test_only_an_item_that_kills_every_process_is_lost"),
    ],
)
def test_a_broken_data_engine_is_refused(judge, broken, refused_by):
    assert refused_by in judge(DataEngineContract, broken, only=refused_by).failed


def test_a_sound_data_engine_passes(judge):
    assert not judge(DataEngineContract, Here).failed
