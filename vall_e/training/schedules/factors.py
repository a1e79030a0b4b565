"""Learning-rate factors as functions of the step, counted from 0. Torch-free."""

from __future__ import annotations

import math


def warmup(step: int, warmup_steps: int) -> float:
    """Rises to 1 at the last warm-up step. It is above 0 at the first step already."""
    return min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0


def fitted_warmup(warmup_steps: int, max_steps: int) -> int:
    """A warm-up of more than half of the run is shortened to a tenth of it."""
    return warmup_steps if 2 * warmup_steps <= max_steps else max(1, max_steps // 10)


def cosine(step: int, warmup_steps: int, max_steps: int, final: float) -> float:
    """Warm-up, then half a cosine that reaches `final` at step `max_steps - 1` and stays there."""
    if step < warmup_steps:
        return warmup(step, warmup_steps)
    span = max(max_steps - 1 - warmup_steps, 1)
    done = min((step - warmup_steps) / span, 1.0)
    return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2


def one_cycle(step: int, max_steps: int, *, rise: float, first: float, final: float) -> float:
    """Half a cosine from `first` to 1 over the share `rise` of the run, another down to `final`.

    Smith and Topin 2017, https://arxiv.org/abs/1708.07120.
    """
    top = rise * (max_steps - 1)
    if step < top:
        return _between(first, 1.0, step / top)
    return _between(1.0, final, min((step - top) / max(max_steps - 1 - top, 1), 1.0))


def noam(step: int, warmup_steps: int) -> float:
    """Warm-up, then 1 / sqrt(step), scaled to be 1 where they meet.

    Vaswani et al. 2017, https://arxiv.org/abs/1706.03762.
    """
    reached = max(warmup_steps, 1)
    return min((step + 1) / reached, math.sqrt(reached / (step + 1)))


def warmup_stable_decay(
    step: int, max_steps: int, *, warmup_steps: int, decay: float, final: float, shape: str
) -> float:
    """Warm-up, constant 1, and a decay to `final` over the last share `decay` of the run.

    Hu et al. 2024, https://arxiv.org/abs/2404.06395; the `sqrt` shape (1 - sqrt of the fraction
    done) is by Haegele et al. 2024, https://arxiv.org/abs/2405.18392.
    """
    last = max_steps - 1
    span = decay * last
    done = min(max((step - (last - span)) / span, 0.0), 1.0) if span else 0.0
    fallen = math.sqrt(done) if shape == "sqrt" else done
    return warmup(step, warmup_steps) * (1 - (1 - final) * fallen)


def _between(start: float, end: float, done: float) -> float:
    """Along half a cosine, flat at both ends; `done` runs from 0 to 1."""
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2
