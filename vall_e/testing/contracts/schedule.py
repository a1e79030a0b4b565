"""What every learning-rate schedule must do."""

from __future__ import annotations

import math
from collections.abc import Callable


class ScheduleContract:
    """`make` builds the schedule for a run of `max_steps`."""

    def make(self, *, max_steps: int) -> Callable[[int], float]:
        raise NotImplementedError

    def test_factors_are_numbers_from_0_to_1(self) -> None:
        for max_steps in (1, 2, 10, 5000):
            factor = self.make(max_steps=max_steps)
            for step in (*range(max_steps + 1), 2 * max_steps):
                assert math.isfinite(factor(step)), f"the factor of step {step} is {factor(step)}"
                assert 0 <= factor(step) <= 1, f"the factor of step {step} is {factor(step)}"

    def test_every_step_before_the_last_trains(self) -> None:
        for max_steps in (2, 10, 5000):
            factor = self.make(max_steps=max_steps)
            idle = [step for step in range(max_steps - 1) if not factor(step) > 0]
            assert not idle, f"of {max_steps} steps, {idle[0]} has factor 0 and trains nothing"

    def test_the_factor_depends_only_on_the_step(self) -> None:
        factor, again = self.make(max_steps=100), self.make(max_steps=100)
        forward = [factor(step) for step in range(100)]
        backward = [again(step) for step in reversed(range(100))]
        assert forward == backward[::-1], "called in another order, steps have other factors"

    def test_the_full_rate_is_reached(self) -> None:
        """Or almost: the optimizer's own rate is what the user asked for."""
        factor = self.make(max_steps=20_000)
        highest = max(factor(step) for step in range(20_000))
        assert highest > 0.9, f"the highest factor of 20,000 steps is {highest:.3g}, not almost 1"
