"""Options of the APOLLO optimizers. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen, validators

if TYPE_CHECKING:
    pass


positive: Any = validators.gt(0)
fraction: Any = [validators.ge(0), validators.lt(1)]


@frozen
class ApolloConfig:
    """Options of `apollo`: a scale for each channel."""

    lr: float = field(default=1e-3, validator=positive)
    """Learning rate, before the schedule's factor."""
    rank: int = field(default=256, validator=positive)
    """Rows that are kept of each matrix. One whose shorter side is no longer is AdamW's."""
    scale: float = field(default=1.0, validator=positive)
    """Updates of projected matrices are multiplied by its square root, as in the paper: projecting
    makes them smaller. Grow it as the rank gets smaller."""
    gap: int = field(default=200, validator=positive)
    """Steps until another random projection is taken."""
    growth: float = field(default=1.01, validator=validators.ge(1))
    """An update is at most so many times as long as the one before."""
    beta1: float = field(default=0.9, validator=fraction)
    """Memory of the gradient's mean."""
    beta2: float = field(default=0.999, validator=fraction)
    """Memory of the gradient's square."""
    eps: float = field(default=1e-6, validator=positive)
    weight_decay: float = field(default=0.01, validator=validators.ge(0))
    """Of matrices; vectors (norms, biases) are left alone."""


@frozen
class ApolloMiniConfig(ApolloConfig):
    """Options of `apollo-mini`: one scale for each matrix, from one row."""

    rank: int = field(default=1, validator=positive)
    """Rows that are kept of each matrix."""
    scale: float = field(default=128.0, validator=positive)
    """Updates of projected matrices are multiplied by its square root, as in the paper."""
