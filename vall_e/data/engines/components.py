"""Data engines that ship in the core. No torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen, validators

from vall_e.registry import Component

if TYPE_CHECKING:
    from vall_e.interfaces.data_engine import DataEngine


@frozen
class LocalConfig:
    """No options."""


@frozen
class RayConfig:
    address: str = ""
    """Of a cluster that runs: `auto` for that of this machine, `ray://HOST:10001` or HOST:6379.
    Empty: one is started here, and ends with the run."""
    cpus: float = field(default=1.0, validator=validators.gt(0))
    """Cores that each worker takes up."""
    gpus: float = field(default=0.0, validator=validators.ge(0))
    """GPUs, or the share of one, that each worker takes up. For `--device cuda`."""
    block: int = field(default=8, validator=validators.ge(1))
    """Recordings that a worker takes at once, and whose codes it gives back together."""


def build_local(config: LocalConfig, *, workers: int) -> DataEngine:
    from vall_e.data.engines.local import LocalEngine

    return LocalEngine(workers)


def build_ray(config: RayConfig, *, workers: int) -> DataEngine:
    from vall_e.data.engines.ray_data import RayEngine

    return RayEngine(config, workers)


DATA_ENGINES = (
    Component(
        name="local",
        config=LocalConfig,
        build=build_local,
        summary="This process, or as many processes of this machine as `--workers` says",
    ),
    Component(
        name="ray",
        config=RayConfig,
        build=build_ray,
        summary="Ray Data: all machines of a cluster (needs vall-e[ray])",
    ),
)
