"""The best weights of a run so far, by its validation: the folder `best` beside the checkpoints."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define

BEST = "best"
WATCHED = ("ar", "masked", "nar", "text", "length")
"""The loss that decides: the first of these stages that is validated."""


@define
class BestSoFar:
    """Which validation was the best, and how many have passed since. `step` -1: there is none."""

    name: str = ""
    step: int = -1
    loss: float = 0.0
    since: int = 0

    def update(self, found: Mapping[str, float], step: int) -> bool:
        """Take a validation; returns whether it is the best so far."""
        names = [f"validation.{stage}" for stage in WATCHED]
        name = next((name for name in names if name in found), "")
        if not name:
            return False
        if self.step >= 0 and name == self.name and not found[name] < self.loss:
            self.since += 1
            return False
        self.name, self.step, self.loss, self.since = name, step, found[name], 0
        return True
