"""Judging in other processes."""

import os
from functools import partial

import pytest

from vall_e.errors import UnavailableError
from vall_e.evaluation.items import read_list
from vall_e.evaluation.panel import Panel, judge_all


@pytest.mark.slow
def test_a_worker_that_is_killed_is_told_and_ends_the_judging(listed):
    dies = partial(os._exit, 9)  # in the other process, as if it had been killed
    with pytest.raises(UnavailableError, match="was ended from outside") as caught:
        list(judge_all(read_list(listed).items, Panel([], {}), dies, workers=1))
    assert "fewer --workers" in caught.value.hint
