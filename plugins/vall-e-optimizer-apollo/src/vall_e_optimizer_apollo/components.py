"""What this plugin offers. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen, validators

from vall_e.plugin import Component, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch

vall_e_hook_api = (1, 1)

PAPER = "https://arxiv.org/abs/2412.05270"
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


def build_apollo(
    config: ApolloConfig, *, parameters: Iterable[tuple[str, torch.nn.Parameter]]
) -> torch.optim.Optimizer:
    from vall_e_optimizer_apollo.apollo import Apollo

    return Apollo(config, parameters, by_channel=True)


def build_apollo_mini(
    config: ApolloMiniConfig, *, parameters: Iterable[tuple[str, torch.nn.Parameter]]
) -> torch.optim.Optimizer:
    from vall_e_optimizer_apollo.apollo import Apollo

    return Apollo(config, parameters, by_channel=False)


@hookimpl
def vall_e_register_optimizers() -> list[Component[Any]]:
    return [
        Component(
            name="apollo",
            config=ApolloConfig,
            build=build_apollo,
            summary="AdamW's scale for each channel, from a state of a few rows a matrix",
            paper=PAPER,
            fixed=("rank",),
        ),
        Component(
            name="apollo-mini",
            config=ApolloMiniConfig,
            build=build_apollo_mini,
            summary="AdamW's scale for each matrix, from a state of one row",
            paper=PAPER,
            fixed=("rank",),
        ),
    ]
