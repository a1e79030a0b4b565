"""Ray Data: a cluster of machines.

Recordings are sent in blocks to workers, which read them themselves: paths or URLs must be the
same everywhere. Outcomes come back in order, and this process writes them.
https://docs.ray.io/en/latest/data/data.html
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

from vall_e.data.engines.options import RayConfig
from vall_e.data.engines.outcome import Attempt, attempt
from vall_e.data.engines.process_pool import ProcessPool
from vall_e.errors import DataError, UnavailableError

I = TypeVar("I")  # noqa: E741 (an item)
O = TypeVar("O")  # noqa: E741 (what becomes of it)


class RayEngine:
    """`workers` workers; 0: as many as the cluster has cores for."""

    def __init__(self, config: RayConfig, workers: int) -> None:
        self.config = config
        self.workers = workers

    def run(
        self,
        items: Sequence[I],
        make: Callable[[], Callable[[I], O]],
        lost: Callable[[I], O],
    ) -> Iterator[O]:
        if not items:
            return
        ray = _ray()
        with _quiet(), _cluster(ray, self.config.address, self.workers):
            for found in _translated(ray, self._outcomes(ray, items, make, lost)):
                yield found.result()

    def _outcomes(
        self,
        ray: Any,
        items: Sequence[I],
        make: Callable[[], Callable[[I], O]],
        lost: Callable[[I], O],
    ) -> Iterator[Attempt]:
        """In order. Ray restarts a block elsewhere if its worker or machine is lost."""
        pack = ray.cloudpickle.dumps  # can also send what is defined in a notebook
        rows = [{"item": pack(item)} for item in items]
        with ray.data.DataContext.current(_settings(ray)):
            done = ray.data.from_items(
                rows, override_num_blocks=-(-len(rows) // self.config.block)
            ).map(
                _Worker,
                fn_constructor_args=(pack(make), pack(lost)),
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=self._count(ray)),
                num_cpus=self.config.cpus,
                num_gpus=self.config.gpus,
            )
            for row in done.iter_rows():
                found: Attempt = pickle.loads(row["found"])  # noqa: S301 (made by us)
                yield found

    def _count(self, ray: Any) -> int:
        return self.workers or max(1, int(ray.cluster_resources()["CPU"] / self.config.cpus))


class _Worker:
    """Prepares recordings on a worker of the cluster, in a process of its own, which may die."""

    def __init__(self, make: bytes, lost: bytes) -> None:
        self.pool: ProcessPool[bytes, Any] = ProcessPool(1, partial(_unpacked, make))
        self.pool.__enter__()
        self.lost = partial(_lost, lost)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        found = attempt(lambda: next(self.pool.prepared([row["item"]], self.lost)))
        return {"found": pickle.dumps(found)}


def _unpacked(make: bytes) -> Callable[[bytes], Any]:
    prepare = pickle.loads(make)()  # noqa: S301 (made by us)
    return lambda item: prepare(pickle.loads(item))  # noqa: S301 (made by us)


def _lost(lost: bytes, item: bytes) -> Any:
    return pickle.loads(lost)(pickle.loads(item))  # noqa: S301 (made by us)


def _settings(ray: Any) -> Any:
    settings = ray.data.DataContext.get_current().copy()
    settings.execution_options.preserve_order = True
    settings.enable_progress_bars = False
    settings.print_on_execution_start = False
    return settings


@contextmanager
def _cluster(ray: Any, address: str, workers: int) -> Iterator[None]:
    """The cluster at `address`, one on this machine, or the one that this process is part of."""
    if ray.is_initialized():
        yield
        return
    ours: dict[str, Any] = {"num_cpus": workers or None, "include_dashboard": False}
    try:
        ray.init(
            address=address or "local",
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
            **({} if address else ours),
        )
    except Exception as exc:
        raise DataError(
            f"no Ray cluster at {address or 'this machine'}: {exc}",
            hint="check the address with `ray status`; without one, try again when this machine "
            "is less busy",
        ) from exc
    try:
        yield
    finally:
        ray.shutdown()


def _translated(ray: Any, outcomes: Iterator[O]) -> Iterator[O]:
    try:
        yield from outcomes
    except ray.exceptions.RayError as exc:
        raise DataError(
            f"the Ray cluster failed: {exc}",
            hint="run the same command again: it continues where it stopped. VALL-E must be "
            "installed "
            "on all machines, in the same version",
        ) from exc


@contextmanager
def _quiet() -> Iterator[None]:
    """Ray writes its plans to a log of its own; errors are raised."""
    logger = logging.getLogger("ray.data")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _ray() -> Any:
    try:
        import_module("ray.data")
        return import_module("ray")
    except ImportError as exc:
        raise UnavailableError(
            f"the data engine ray needs Ray Data, which cannot be imported: {exc}",
            hint="pip install 'vall-e[ray]'",
        ) from exc
