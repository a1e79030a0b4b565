"""Options of running fewer layers than a model has (LayerSkip). Torch-free.

Elhoushi et al. 2024, https://arxiv.org/abs/2404.16710.
"""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators


@frozen
class LayerSkipConfig:
    """Training for early exits. Of the defaults nothing is skipped and nothing exits."""

    dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Chance of the last layer to be left out for a sample; of the others exponentially less, of
    the first none. The paper takes 0.1 to 0.2."""
    growth: Literal["exponential", "none"] = "exponential"
    """How `dropout` comes up to its value in the course of the run: from nothing at first, as the
    paper trains from scratch; or `none`: it is there from the start, to go on with a model."""
    exit_scale: float = field(default=0.0, validator=[validators.ge(0), validators.le(1)])
    """How much the losses of earlier layers count; 0: only the last layer has one. The paper takes
    0.1 to 1."""
    exits: Literal["rotational", "gradual", "all"] = "rotational"
    """Which earlier layers have a loss in a step. `rotational`: every so many, other ones from step
    to step; `gradual`: more and more, from the last down, all from the middle of the run on."""
    every: int = field(default=2, validator=validators.gt(0))
    """Layers from one rotational exit to the next: fewer exits cost less time."""


@frozen
class ExitConfig:
    """Frames that leave the layers early, since what comes next is plain by then."""

    after: int = field(default=0, validator=validators.ge(0))
    """Layers that every frame runs at least; after each further one it may leave. 0: no exits."""
    entropy: float = field(default=0.05, validator=validators.ge(0))
    """It leaves where the entropy of what comes next is at most so many nats, and"""
    varentropy: float = field(default=0.05, validator=validators.ge(0))
    """the variance of its surprise at most so many square nats."""


@frozen
class SpeculativeConfig:
    """Self-speculative decoding: frames are drafted with few layers, then checked all at once."""

    layers: int = field(default=0, validator=validators.ge(0))
    """The first so many layers write drafts. 0: no drafts."""
    drafts: int = field(default=4, validator=validators.gt(0))
    """Frames that are drafted before they are checked."""
