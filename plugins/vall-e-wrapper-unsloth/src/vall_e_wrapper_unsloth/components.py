"""What this plugin offers. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import field, frozen, validators

from vall_e.plugin import Component, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

vall_e_hook_api = (1, 1)


@frozen
class UnslothConfig:
    """Options of `unsloth`."""

    layers: str = field(default="layers", validator=validators.min_len(1))
    """What the backbone calls its list of layers."""
    every: int = field(default=1, validator=validators.gt(0))
    """Of so many layers one is recomputed; fewer cost less time and more memory."""


def build_unsloth(config: UnslothConfig) -> Callable[[torch.nn.Module], torch.nn.Module]:
    from vall_e_wrapper_unsloth.offloading import offloaded

    return partial(offloaded, layers=config.layers, every=config.every)


@hookimpl
def vall_e_register_wrappers() -> list[Component[UnslothConfig]]:
    return [
        Component(
            name="unsloth",
            config=UnslothConfig,
            build=build_unsloth,
            summary="recomputes layers in the backward pass, their inputs wait on the CPU",
            used_in="training",
        )
    ]
