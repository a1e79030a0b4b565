"""Data engines that ship in the core. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vall_e.data.engines.options import LocalDataEngineConfig, RayConfig
from vall_e.registry import Component

if TYPE_CHECKING:
    from vall_e.interfaces.data_engine import DataEngine


def build_local(config: LocalDataEngineConfig, *, workers: int) -> DataEngine:
    from vall_e.data.engines.local import LocalDataEngine

    return LocalDataEngine(workers)


def build_ray(config: RayConfig, *, workers: int) -> DataEngine:
    from vall_e.data.engines.ray_data import RayEngine

    return RayEngine(config, workers)


DATA_ENGINES = (
    Component(
        name="local",
        config=LocalDataEngineConfig,
        build=build_local,
        summary="this process, or the number of local processes given by `--workers`",
    ),
    Component(
        name="ray",
        config=RayConfig,
        build=build_ray,
        summary="Ray Data: all machines of a cluster (needs vall-e[ray])",
    ),
)
