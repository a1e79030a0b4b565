"""Training engines. No torch here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vall_e.plugin import Component
from vall_e.training.engines.options import LocalEngineConfig

if TYPE_CHECKING:
    from vall_e.interfaces.training import Engine


def build_local(config: LocalEngineConfig) -> Engine:
    from vall_e.training.engines.local import LocalEngine
    from vall_e.training.ranks import Ranks

    return LocalEngine(config, Ranks.of(os.environ))


ENGINES = (
    Component(
        name="local",
        config=LocalEngineConfig,
        build=build_local,
        summary="one process and device, or as many as torchrun starts (DDP, FSDP2)",
    ),
)
