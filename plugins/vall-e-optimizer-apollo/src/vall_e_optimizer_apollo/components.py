"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vall_e.plugin import Component, hookimpl
from vall_e_optimizer_apollo.options import ApolloConfig, ApolloMiniConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch

vall_e_hook_api = (1, 1)

PAPER = "https://arxiv.org/abs/2412.05270"


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
            summary="AdamW's scale per channel, from a state of a few rows per matrix",
            paper=PAPER,
            fixed=("rank",),
        ),
        Component(
            name="apollo-mini",
            config=ApolloMiniConfig,
            build=build_apollo_mini,
            summary="AdamW's scale per matrix, from a state of one row",
            paper=PAPER,
            fixed=("rank",),
        ),
    ]
