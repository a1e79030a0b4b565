"""Learning-rate factors as functions of the step, which counts from 0. Torch-free."""

from __future__ import annotations

import math


def warmup(step: int, warmup_steps: int) -> float:
    """Rises to 1 at the last warm-up step. The first step has some rate already."""
    return min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0


def cosine(step: int, warmup_steps: int, max_steps: int, final: float) -> float:
    """Warm-up, then half a cosine that reaches `final` at step `max_steps - 1` and stays there."""
    if step < warmup_steps:
        return warmup(step, warmup_steps)
    span = max(max_steps - 1 - warmup_steps, 1)
    done = min((step - warmup_steps) / span, 1.0)
    return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2
