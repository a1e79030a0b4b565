"""Options of the APOLLO optimizers. No torch here."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen, validators

positive: Any = validators.gt(0)
fraction: Any = [validators.ge(0), validators.lt(1)]


@frozen
class ApolloConfig:
    """Options of `apollo`: a scale for each channel."""

    lr: float = field(default=1e-3, validator=positive)
    """Learning rate, multiplied by the schedule's factor."""
    rank: int = field(default=256, validator=positive)
    """Rows of state per matrix. Matrices whose shorter side is not longer are trained by AdamW."""
    scale: float = field(default=1.0, validator=positive)
    """Updates of projected matrices are multiplied by its square root, as in the paper, since
    projecting makes them smaller. Increase it for a smaller rank."""
    gap: int = field(default=200, validator=positive)
    """Steps between new random projections."""
    growth: float = field(default=1.01, validator=validators.ge(1))
    """Largest ratio of an update's length to the one before."""
    beta1: float = field(default=0.9, validator=fraction)
    """Decay rate of the first moment (beta1)."""
    beta2: float = field(default=0.999, validator=fraction)
    """Decay rate of the second moment (beta2)."""
    eps: float = field(default=1e-6, validator=positive)
    weight_decay: float = field(default=0.01, validator=validators.ge(0))
    """Weight decay of matrices; vectors (norms, biases) are not decayed."""


@frozen
class ApolloMiniConfig(ApolloConfig):
    """Options of `apollo-mini`: one scale for each matrix, from one row."""

    rank: int = field(default=1, validator=positive)
    """Rows of state per matrix."""
    scale: float = field(default=128.0, validator=positive)
    """Updates of projected matrices are multiplied by its square root, as in the paper."""
