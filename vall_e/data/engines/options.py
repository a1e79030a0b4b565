"""Options of the engines that process recordings. No torch here."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class LocalDataEngineConfig:
    """No options."""


@frozen
class RayConfig:
    address: str = ""
    """Address of a running cluster: `auto` for one on this machine, `ray://HOST:10001` or
    HOST:6379. Empty: one is started here, and ends with the run."""
    cpus: float = field(default=1.0, validator=validators.gt(0))
    """CPU cores of each worker."""
    gpus: float = field(default=0.0, validator=validators.ge(0))
    """GPUs, or the share of one, of each worker. For `--device cuda`."""
    block: int = field(default=8, validator=validators.ge(1))
    """Recordings sent to a worker at once; their codes are returned together."""
