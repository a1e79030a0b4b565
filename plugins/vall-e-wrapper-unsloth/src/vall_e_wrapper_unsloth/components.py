"""The components of this plugin. No torch here: `vall-e --help` imports this file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from vall_e.plugin import Component, hookimpl
from vall_e_wrapper_unsloth.options import UnslothConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

vall_e_hook_api = (1, 1)


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
            summary="recomputes layers in the backward pass, with their inputs kept in CPU memory",
            used_in="training",
        )
    ]
