"""Ray Data: a cluster of machines.

Recordings travel in blocks to workers, which read them for themselves: their paths, or URLs, must
mean the same everywhere. Outcomes come back in order, and this process writes them down.
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

from vall_e.data.engines.attempt import Attempt, attempt
from vall_e.data.engines.components import RayConfig
from vall_e.errors import DataError, UnavailableError

I = TypeVar("I")  # noqa: E741 (an item)
O = TypeVar("O")  # noqa: E741 (what becomes of it)

RETRIES = 3
"""So often a block is begun again, elsewhere, whose worker died. Then its items go one by one."""
ALONE = 2
"""An item that is alone in a worker gets so many, before it counts as lost."""


class RayEngine:
    """As many workers as `workers` says; 0: as many as the cluster has cores for."""

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
            given = 0
            for number, found in _translated(ray, self._outcomes(ray, items, make)):
                for missing in items[given:number]:
                    yield self._alone(ray, missing, make, lost)
                yield found.result()
                given = number + 1
            for missing in items[given:]:
                yield self._alone(ray, missing, make, lost)

    def _outcomes(
        self, ray: Any, items: Sequence[I], make: Callable[[], Callable[[I], O]]
    ) -> Iterator[tuple[int, Attempt]]:
        """In order, with their numbers; those of blocks that no worker survived are left out."""
        pack = ray.cloudpickle.dumps  # what stands in a notebook can travel too
        rows = [{"number": i, "item": pack(item)} for i, item in enumerate(items)]
        with ray.data.DataContext.current(_settings(ray)):
            done = ray.data.from_items(
                rows, override_num_blocks=-(-len(rows) // self.config.block)
            ).map(
                _Worker,
                fn_constructor_args=(pack(make),),
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=self._count(ray)),
                max_task_retries=RETRIES,
                **self._needs,
            )
            for row in done.iter_rows():
                yield row["number"], pickle.loads(row["found"])  # noqa: S301 (made by us)

    def _alone(
        self,
        ray: Any,
        item: I,
        make: Callable[[], Callable[[I], O]],
        lost: Callable[[I], O],
    ) -> O:
        task = ray.remote(max_retries=ALONE - 1, **self._needs)(_once)
        try:
            found: Attempt = ray.get(task.remote(*map(ray.cloudpickle.dumps, (make, item))))
        except ray.exceptions.WorkerCrashedError:
            return lost(item)
        outcome: O = found.result()
        return outcome

    @property
    def _needs(self) -> dict[str, float]:
        return {"num_cpus": self.config.cpus, "num_gpus": self.config.gpus}

    def _count(self, ray: Any) -> int:
        return self.workers or max(1, int(ray.cluster_resources()["CPU"] / self.config.cpus))


class _Worker:
    """What each process of the cluster prepares with."""

    def __init__(self, make: bytes) -> None:
        self.made = attempt(pickle.loads(make))  # noqa: S301 (made by us)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        if self.made.error:
            found = self.made
        else:
            item = pickle.loads(row["item"])  # noqa: S301 (made by us)
            found = attempt(partial(self.made.found, item))
        return {"number": row["number"], "found": pickle.dumps(found)}


def _once(make: bytes, item: bytes) -> Attempt:
    found = _Worker(make)({"number": 0, "item": item})["found"]
    result: Attempt = pickle.loads(found)  # noqa: S301 (made by us)
    return result


def _settings(ray: Any) -> Any:
    settings = ray.data.DataContext.get_current().copy()
    settings.execution_options.preserve_order = True
    settings.max_errored_blocks = -1  # their items are prepared one by one
    settings.enable_progress_bars = False
    settings.print_on_execution_start = False
    return settings


@contextmanager
def _cluster(ray: Any, address: str, workers: int) -> Iterator[None]:
    """That of `address`, one of this machine, or the one that this process is in already."""
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
            hint="run the same command again: it goes on where it was. VALL-E must be installed "
            "on all machines, in the same version",
        ) from exc


@contextmanager
def _quiet() -> Iterator[None]:
    """Ray tells of its plans in a log of its own; what goes wrong is raised."""
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
