"""The best weights of a run so far, by its validation: the folder `best` beside the checkpoints."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define

from vall_e.config.training import BestConfig
from vall_e.errors import TrainingError

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

    def update(
        self, found: Mapping[str, float], step: int, config: BestConfig | None = None
    ) -> bool:
        """Take a validation; returns whether it is the best so far.

        Raises `TrainingError` if it does not have the metric that the config names.
        """
        config = config or BestConfig()
        name = config.metric or next((n for n in _losses() if n in found), "")
        if config.metric and config.metric not in found:
            raise TrainingError(
                f"training.best.metric {config.metric!r} is not a result of the validation",
                hint=f"these are: {', '.join(sorted(found))}",
            )
        if not name:
            return False
        better = found[name] > self.loss if config.mode == "max" else found[name] < self.loss
        if self.step >= 0 and name == self.name and not better:
            self.since += 1
            return False
        self.name, self.step, self.loss, self.since = name, step, found[name], 0
        return True


def _losses() -> list[str]:
    return [f"validation.{stage}" for stage in WATCHED]
