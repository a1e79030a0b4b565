"""The learning rate of each step."""

from __future__ import annotations

from collections.abc import Callable

import torch


class Rate:
    """Multiplies the optimizer's own rates with the schedule's factor and the user's changes."""

    def __init__(self, optimizer: torch.optim.Optimizer, schedule: Callable[[int], float]) -> None:
        self.optimizer = optimizer
        self.schedule = schedule
        self.own = [float(group["lr"]) for group in optimizer.param_groups]
        self.factor = 1.0

    @property
    def highest(self) -> float:
        """What `set` last gave the first group of parameters."""
        return float(self.optimizer.param_groups[0]["lr"])

    def set(self, step: int) -> None:
        """For the update after `step` updates."""
        for group, own in zip(self.optimizer.param_groups, self.own, strict=True):
            group["lr"] = own * self.factor * self.schedule(step)

    def override(self, lr: float) -> None:
        """Let the schedule multiply `lr`; other groups of parameters follow in proportion."""
        self.factor = lr / self.own[0]
