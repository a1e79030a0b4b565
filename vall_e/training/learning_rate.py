"""The learning rate of each step."""

from __future__ import annotations

from collections.abc import Callable

import torch


class Rate:
    """Multiplies the optimizer's own rates by the schedule's factor and the user's changes."""

    def __init__(self, optimizer: torch.optim.Optimizer, schedule: Callable[[int], float]) -> None:
        self.optimizer = optimizer
        self.schedule = schedule
        self.own = [float(group["lr"]) for group in optimizer.param_groups]
        self.factor = 1.0

    @property
    def highest(self) -> float:
        """The rate that `set` last gave to the first parameter group."""
        return float(self.optimizer.param_groups[0]["lr"])

    def set(self, step: int) -> None:
        """Set the rates for the update after `step` updates."""
        for group, own in zip(self.optimizer.param_groups, self.own, strict=True):
            group["lr"] = own * self.factor * self.schedule(step)

    def override(self, lr: float) -> None:
        """Let the schedule multiply `lr`; other parameter groups follow in proportion."""
        self.factor = lr / self.own[0]
