"""Options for running fewer layers than a model has (LayerSkip). Torch-free.

Elhoushi et al. 2024, https://arxiv.org/abs/2404.16710.
"""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators


@frozen
class LayerSkipConfig:
    """Training for early exits. With the defaults, no layer is skipped and there are no exits."""

    dropout: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
    """Probability of skipping the last layer for a sample; it falls exponentially to 0 at the first
    layer. The paper uses 0.1 to 0.2."""
    growth: Literal["exponential", "none"] = "exponential"
    """How `dropout` rises during the run: `exponential` starts at 0, as in the paper for training
    from scratch; `none` uses the full value from the start, for continuing a trained model."""
    exit_scale: float = field(default=0.0, validator=[validators.ge(0), validators.le(1)])
    """Weight of the losses of earlier layers; 0: only the last layer has a loss. The paper uses 0.1
    to 1."""
    exits: Literal["rotational", "gradual", "all"] = "rotational"
    """Which earlier layers have a loss in a step. `rotational`: every `every`-th layer, shifted by
    one at each step; `gradual`: from the last layer down, all layers from the middle of the run
    on."""
    every: int = field(default=2, validator=validators.gt(0))
    """Distance between rotational exits, in layers: fewer exits take less time."""


@frozen
class ExitConfig:
    """Early exit: frames skip the remaining layers once the next token is certain enough."""

    after: int = field(default=0, validator=validators.ge(0))
    """Layers that every frame runs at least; it may exit after any later layer. 0: no early
    exit."""
    entropy: float = field(default=0.05, validator=validators.ge(0))
    """Exit when the entropy of the next token (in nats) is at most this."""
    varentropy: float = field(default=0.05, validator=validators.ge(0))
    """Exit only if, in addition, the varentropy (in nats^2) is at most this."""


@frozen
class SpeculativeConfig:
    """Self-speculative decoding: a few layers draft frames, then all layers check them at once."""

    layers: int = field(default=0, validator=validators.ge(0))
    """Number of layers that write the drafts, counted from the first. 0: no drafts."""
    drafts: int = field(default=4, validator=validators.gt(0))
    """Frames that are drafted before each check."""
